/* The rooms of peers and people over an endpoint of the tests' own. */
#include "support_peers.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "net/endpoint.h"

struct fake_peer fake[FAKE_PEERS];
unsigned fake_tickets;
static uint64_t drawn;

/* ---- the endpoint ---- */
static struct fake_peer *of(struct peer_ref p) {
    assert_true(p.index < FAKE_PEERS && fake[p.index].there);
    return &fake[p.index];
}

int endpoint_peer_add(struct endpoint *e, const struct peer_setup *s, struct peer_ref *out) {
    (void)e;
    uint32_t at = FAKE_PEERS;
    for (uint32_t i = FAKE_PEERS; i-- > 0;)
        if (!fake[i].there || node_id_equal(&fake[i].setup.id, &s->id))
            at = i;
    for (uint32_t i = 0; i < FAKE_PEERS; i++)
        if (fake[i].there && node_id_equal(&fake[i].setup.id, &s->id))
            at = i;
    if (at == FAKE_PEERS)
        return ERR_FULL;
    if (!fake[at].there)
        fake[at] = (struct fake_peer){.there = true};
    fake[at].setup = *s;
    *out = (struct peer_ref){at, 1};
    return 0;
}

void endpoint_peer_remove(struct endpoint *e, uint64_t now_us, struct peer_ref p) {
    (void)e;
    (void)now_us;
    if (p.index < FAKE_PEERS) /* of one that is gone: nothing happens */
        fake[p.index].there = false;
}

int endpoint_connect(struct endpoint *e, uint64_t now_us, struct peer_ref p) {
    (void)e;
    (void)now_us;
    of(p)->connects++;
    return of(p)->up || of(p)->setup.addr_count > 0 ? 0 : ERR_OFFLINE;
}

int endpoint_call(struct endpoint *e, uint64_t now_us, struct peer_ref p) {
    (void)e;
    (void)now_us;
    of(p)->calls++;
    return of(p)->setup.addr_count > 0 ? 0 : ERR_OFFLINE;
}

void session_tell_heard(struct endpoint *e, struct session_ref s) {
    (void)e, (void)s;
}

uint64_t endpoint_heard_us(const struct endpoint *e, struct peer_ref p) {
    (void)e;
    return of(p)->heard_us;
}

bool endpoint_session(const struct endpoint *e, struct peer_ref p, struct session_ref *out) {
    (void)e;
    *out = (struct session_ref){p.index, fake[p.index].serial};
    return fake[p.index].there && fake[p.index].up;
}

bool endpoint_session_peer(const struct endpoint *e, struct session_ref s, struct peer_ref *out) {
    (void)e;
    *out = (struct peer_ref){s.index, 1};
    return s.index < FAKE_PEERS && fake[s.index].up && fake[s.index].serial == s.serial;
}

bool endpoint_session_info(const struct endpoint *e, uint64_t now_us, struct session_ref s,
                           struct session_info *out) {
    (void)e;
    (void)now_us;
    *out = (struct session_info){.pkts_received = fake[s.index].pkts};
    return fake[s.index].up && fake[s.index].serial == s.serial;
}

void endpoint_disconnect(struct endpoint *e, uint64_t now_us, struct session_ref s, int err) {
    (void)e;
    (void)now_us;
    fake[s.index].up = false;
    fake[s.index].disconnects++;
    fake[s.index].closed = err;
}

int session_ping(struct endpoint *e, uint64_t now_us, struct session_ref s, uint64_t id) {
    (void)e;
    (void)now_us;
    fake[s.index].pings++;
    fake[s.index].last_ping = id;
    return fake[s.index].up ? 0 : ERR_NOT_FOUND;
}

int endpoint_ticket_open(struct endpoint *e, const struct psk *secret, uint64_t expires_us) {
    (void)e;
    (void)secret;
    (void)expires_us;
    fake_tickets++;
    return 0;
}

void endpoint_ticket_close(struct endpoint *e, const struct psk *secret) {
    (void)e;
    (void)secret;
    fake_tickets--;
}

/* ---- the world ---- */
static void draw(void *ctx, void *buf, size_t n) {
    uint8_t *out = buf;
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        drawn = drawn * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(drawn >> 56);
    }
}

static void say(void *ctx, enum log_level level, const char *line) {
    struct scene *s = ctx;
    const size_t at = strlen(s->said);
    (void)level;
    snprintf(s->said + at, sizeof s->said - at, "%s\n", line);
}

static void put_together(struct scene *s) {
    s->turn = (struct turn){.env = {.rng = {.fill = draw},
                                    .store = store_mem_face(s->memory),
                                    .log = say,
                                    .log_ctx = s},
                            .now_us = s->turn.now_us ? s->turn.now_us : S,
                            .wall_us = 1000000 * (uint64_t)S};
    s->turn.wall_at_us = s->turn.now_us;
    memset(&s->turn.id, 0x77, sizeof s->turn.id);
    s->keep = (struct keep){.turn = &s->turn, .work = &s->work};
    s->peers = (struct peerings){.turn = &s->turn};
    s->dials = (struct dials){.turn = &s->turn, .peers = &s->peers};
    s->watch = (struct watch){.turn = &s->turn, .peers = &s->peers};
    s->pings = (struct pings){.turn = &s->turn, .peers = &s->peers, .dials = &s->dials};
    s->people = (struct contacts){
        .turn = &s->turn, .keep = &s->keep, .peers = &s->peers, .dials = &s->dials};
    s->invites = (struct invites){.turn = &s->turn, .keep = &s->keep, .contacts = &s->people};
    s->pairing = (struct pairing){
        .turn = &s->turn, .keep = &s->keep, .contacts = &s->people, .invites = &s->invites};
    s->keep.part = parts_add(&s->turn.parts, &keep_part, &s->keep);
    (void)parts_add(&s->turn.parts, &peerings_part, &s->peers);
    (void)parts_add(&s->turn.parts, &dials_part, &s->dials);
    (void)parts_add(&s->turn.parts, &contacts_part, &s->people);
    (void)parts_add(&s->turn.parts, &invites_part, &s->invites);
    (void)parts_add(&s->turn.parts, &pings_part, &s->pings);
    (void)parts_add(&s->turn.parts, &watch_part, &s->watch);
    assert_int_equal(parts_load(&s->turn.parts), 0);
}

void scene_begin(struct scene *s) {
    memset(s, 0, sizeof *s);
    memset(fake, 0, sizeof fake);
    fake_tickets = 0;
    drawn = 1;
    s->memory = store_mem_new();
    assert_non_null(s->memory);
    put_together(s);
}

static void take_apart(struct scene *s) {
    parts_clear(&s->turn.parts);
    work_clear(&s->work);
    news_clear(&s->turn.news);
}

void scene_end(struct scene *s) {
    take_apart(s);
    store_mem_free(s->memory);
}

void scene_restart(struct scene *s) {
    parts_shutdown(&s->turn.parts);
    take_apart(s);
    memset(fake, 0, sizeof fake);
    fake_tickets = 0;
    put_together(s);
}

struct node_id id_of(unsigned n) {
    struct node_id id = {.bytes = {0}};
    id.bytes[0] = (uint8_t)n;
    id.bytes[1] = (uint8_t)(n >> 8);
    id.bytes[31] = 1;
    return id;
}

struct contact *scene_contact(struct scene *s, const char *name, unsigned n) {
    struct contact model = {.id = id_of(n), .addr_count = 1}, *c;
    snprintf(model.name, sizeof model.name, "%s", name);
    model.addrs[0] = (struct addr){.kind = ADDR_IPV4, .port = 7, .ip = {10, 0, 0, (uint8_t)n}};
    assert_int_equal(contact_add(&s->people, &model, &c), 0);
    return c;
}

/* ---- what happens ---- */
void scene_up(struct scene *s, struct peering *p) {
    struct fake_peer *f = of(p->ref);
    f->up = true;
    f->heard_us = s->turn.now_us;
    p->online = true;
    p->session = (struct session_ref){p->ref.index, ++f->serial};
    dial_up(&s->dials, p);
    parts_peer_up(&s->turn.parts, p, p->contact);
}

void scene_down(struct scene *s, struct peering *p, int err) {
    of(p->ref)->up = false;
    p->online = false;
    parts_peer_down(&s->turn.parts, p, p->contact, err);
    dial_down(&s->dials, p, err);
}

void scene_wait(struct scene *s, uint64_t us) {
    const uint64_t until = s->turn.now_us + us;
    for (unsigned i = 0; i < 100000; i++) {
        const uint64_t at = parts_deadline_us(&s->turn.parts);
        if (at > until)
            break;
        s->turn.now_us = at > s->turn.now_us ? at : s->turn.now_us;
        parts_timeout(&s->turn.parts);
        scene_sync(s);
    }
    s->turn.now_us = until;
    scene_sync(s);
}

void scene_sync(struct scene *s) {
    struct file_op *op;
    keep_pump(&s->keep);
    while ((op = work_take(&s->work)) != NULL) {
        const uint64_t token = store_mem_sync_begin(s->memory);
        op->err = store_mem_sync_end(s->memory, token);
        s->work.out--;
        keep_op_done(&s->keep, op);
    }
    (void)keep_pay(&s->keep);
}

bool scene_heard(struct scene *s, enum node_event_kind kind, struct node_event *e) {
    while (news_take(&s->turn.news, e))
        if (e->kind == kind)
            return true;
    return false;
}
