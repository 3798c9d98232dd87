/* mutants_paths.c: faults of paths and relays; see mutants.c. */
#include "mutants.h"
#include "net/endpoint_int.h"
#include "net/relay/relay_server_int.h"
#include "net/wire/relay_msg.h"

/* ---- paths ---- */

REAL(const struct hop *, endpoint_standby_copies, const struct endpoint *e, const struct session *s,
     size_t *bytes) {
    return is(MUTANT_NEVER_DOUBLES) ? NULL : __real_endpoint_standby_copies(e, s, bytes);
}

REAL(const struct path_place *, paths_place_due, struct paths *p, const struct rng *rng,
     uint64_t now_us) {
    return is(MUTANT_COLD_STANDBY) ? NULL : __real_paths_place_due(p, rng, now_us);
}

REAL(bool, path_list_prefers, struct path_list *l, struct path_place *p, uint64_t now_us) {
    if (!is(MUTANT_FICKLE))
        return __real_path_list_prefers(l, p, now_us);
    const struct path_place *active = path_list_active(l);
    p->next_us = now_us + PATH_BETTER_ASK_US;
    return p->status == PATH_VALIDATED && active->status == PATH_ACTIVE &&
           path_place_score(p) < path_place_score(active);
}

REAL(void, path_list_used, struct path_list *l, uint64_t now_us) {
    __real_path_list_used(l, now_us);
    for (unsigned i = 0; i < PATHS_MAX && is(MUTANT_UNFORGIVING); i++)
        if (l->v[i].status == PATH_FAILED)
            l->v[i].next_us = UINT64_MAX;
}

REAL(bool, endpoint_may_come, struct endpoint *e, const struct peer *p, const struct hop *from) {
    return is(MUTANT_RELAY_ONLY_ANSWERS) || __real_endpoint_may_come(e, p, from);
}

/* ---- relays ---- */

static struct relay_end *any_open(struct relay_server *s, uint32_t but) {
    for (uint32_t i = 0; i < s->flows.count; i++) {
        struct relay_entry *f = relay_flow_at(&s->flows, i);
        if (f->state == RELAY_OPENED_UP && f->ends[0].number != but && f->ends[1].number != but)
            return &f->ends[0];
    }
    return NULL;
}

/* A datagram at a time: `run` as it would be if who has sent it were allowed to. */
REAL(void, relay_server_forward, struct relay_server *s, uint64_t now_us,
     const struct train_in *run) {
    const bool mixes = is(MUTANT_RELAY_MIXES);
    if (!mixes && !is(MUTANT_RELAY_FOR_ANYBODY)) {
        __real_relay_server_forward(s, now_us, run);
        return;
    }
    for (size_t at = 0, n; at < run->len; at += n) {
        n = train_in_bytes_at(run, at);
        struct train_in one = train_in_of_one(&run->from, run->ecn, run->buf + at, n);
        const uint32_t flow = n > FORWARD_HEADER_BYTES ? forward_read(run->buf + at, n) : 0;
        struct relay_end *e = mixes ? any_open(s, flow) : relay_flow_end(&s->flows, flow);
        if (flow != 0 && e) {
            one.from = s->clients.seats[e->client].hop;
            forward_write(run->buf + at, PACKET_FORWARD, e->number);
        }
        __real_relay_server_forward(s, now_us, &one);
    }
}

REAL(void, endpoint_queue_small, struct endpoint *e, const struct peer *for_whom,
     const struct hop *to, const uint8_t *data, size_t len) {
    const bool longer = data[0] == PACKET_KEY_TOLD && is(MUTANT_LONG_ANSWER);
    __real_endpoint_queue_small(e, is(MUTANT_RELAY_ONLY_ANSWERS) ? NULL : for_whom, to, data,
                                longer ? KEY_TOLD_BYTES : len);
}
