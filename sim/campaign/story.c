#include "sim/campaign/story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"
#include "sim/run/run.h"

enum { FIRST_LINES = 20 };

struct teller {
    struct text *out;
    char last[STORY_LINES - FIRST_LINES][256]; /* a ring */
    uint64_t lines;
};

static void tell(struct teller *t, const char *line) {
    if (t->lines < FIRST_LINES)
        text_add(t->out, "# %s\n", line);
    else
        (void)snprintf(t->last[t->lines % (STORY_LINES - FIRST_LINES)], sizeof t->last[0], "%s",
                       line);
    t->lines++;
}

static void on_event(void *ctx, uint64_t time_ns, const char *host, const struct node_event *e) {
    char line[160];
    if (e->kind == NODE_TRANSFER_PROGRESS || e->kind == NODE_PONG)
        return;
    (void)snprintf(line, sizeof line, "%.6f s %s: %s %s%s%s", (double)time_ns / 1e9, host,
                   node_event_name(e->kind), e->contact, e->err ? " " : "",
                   e->err ? err_name(e->err) : "");
    tell(ctx, line);
}

static void on_datagram(void *ctx, const struct sim_datagram *d) {
    static const char *const types[] = {"datagram", "initiation", "response", "retry", "data"};
    char line[256], from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];
    const uint8_t type = d->len > 0 ? d->data[0] : 0;
    if (d->fate == FATE_DELIVERED && type == 4)
        return;
    addr_text(&d->from, from);
    addr_text(&d->to, to);
    (void)snprintf(line, sizeof line, "%.6f s %s > %s: %s of %u bytes, %s",
                   (double)d->time_ns / 1e9, from, to, types[type < 5 ? type : 0], d->len,
                   fate_name(d->fate));
    tell(ctx, line);
}

static void run_with(const struct trial_job *job, const struct sim_tap *tap,
                     void (*look)(void *ctx, const struct sim *s)) {
    struct scenario sc;
    struct problem problem;
    struct run r;
    const struct run_options o = {
        .seed = job->seed, .tap = *tap, .has_crypto = job->has_crypto, .crypto = job->crypto};
    if (!scenario_parse(&sc, job->text, job->lets, job->let_count, &problem))
        return;
    if (run_scenario(&sc, &o, &r, &problem)) {
        if (look)
            look(tap->ctx, r.sim);
        run_clear(&r);
    }
    scenario_clear(&sc);
}

void story_tell(const struct trial_job *job, struct text *out) {
    struct teller t = {.out = out};
    enum { LAST = STORY_LINES - FIRST_LINES };
    text_add(out, "# What happens:\n");
    run_with(job, &(struct sim_tap){.ctx = &t, .node_event = on_event, .datagram = on_datagram},
             NULL);
    uint64_t from = FIRST_LINES;
    if (t.lines > STORY_LINES) {
        from = t.lines - LAST;
        text_add(out, "# ... %" PRIu64 " lines are left out ...\n", from - FIRST_LINES);
    }
    for (uint64_t i = from; i < t.lines; i++)
        text_add(out, "# %s\n", t.last[i % LAST]);
}

/* ---- losses ---- */

struct loss {
    char host[SIM_NAME_MAX + 1];
    uint32_t index;
    bool down;
    struct text numbers;
};
struct losses {
    struct loss *list;
    uint32_t count, cap;
    struct text *out;
};

static void on_loss(void *ctx, const struct sim_datagram *d) {
    struct losses *l = ctx;
    if ((d->fate != FATE_LOSS && d->fate != FATE_BURST) || d->link_host == SIM_NO_HOST)
        return;
    uint32_t i = 0;
    while (i < l->count && (l->list[i].index != d->link_host || l->list[i].down != d->link_down))
        i++;
    if (i == l->count) {
        grow(&l->list, &l->cap, l->count + 1, sizeof *l->list);
        l->list[l->count++] = (struct loss){.index = d->link_host, .down = d->link_down};
    }
    text_add(&l->list[i].numbers, " %" PRIu64, d->link_packet);
}

static void write_losses(void *ctx, const struct sim *s) {
    const struct losses *l = ctx;
    for (uint32_t i = 0; i < l->count; i++)
        text_add(l->out, "lose %s %s%s\n", sim_host_name(s, l->list[i].index),
                 l->list[i].down ? "down" : "up", text_of(&l->list[i].numbers));
}

void story_losses(const struct trial_job *job, struct text *out) {
    struct losses l = {.out = out};
    run_with(job, &(struct sim_tap){.ctx = &l, .datagram = on_loss}, write_losses);
    for (uint32_t i = 0; i < l.count; i++)
        text_clear(&l.list[i].numbers);
    mem_free(l.list);
}
