/* What the user writes on peers and streams comes back in their events: nobody has to look for whom
 * one is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support_pair.h"

enum { MS = 1000, FIRST = 7, SECOND = 9, STREAM = 1 << 20 };

struct heard { /* by side 1, who writes STREAM + id on every stream it hears of */
    struct session_ref s;
    bool silent;                 /* writes nothing */
    uint64_t last[EP_PONG + 1];  /* the stream's owner in the last event of the kind */
    uint64_t peers[EP_PONG + 1]; /* the peer's */
    unsigned count[EP_PONG + 1];
};

static void note(struct pair *p, int side, const struct ep_event *e) {
    struct heard *h = p->user;
    if (side == 0)
        return;
    h->last[e->kind] = e->owner;
    h->peers[e->kind] = e->peer_owner;
    h->count[e->kind]++;
    if (e->kind == EP_STREAM_OPENED && !h->silent)
        stream_set_owner(p->ep[1], e->session, e->stream, STREAM + e->stream);
    if (e->kind == EP_STREAM_READABLE) {
        struct span spans[4];
        bool fin;
        const unsigned n = stream_peek(p->ep[1], e->session, e->stream, 0, spans, 4, &fin);
        for (unsigned i = 0; i < n; i++)
            stream_consume(p->ep[1], p->now_us, e->session, e->stream, spans[i].len);
    }
}

static void own_peer(struct pair *p, uint64_t owner) {
    struct peer_setup s = {.id = p->id[0].id,
                           .transport = p->id[0].transport_public,
                           .addrs = {p->addr[0]},
                           .addr_count = 1,
                           .owner = owner};
    assert_int_equal(endpoint_peer_add(p->ep[1], &s, &p->peer[1]), 0);
}

static struct pair *joined(struct heard *h, uint64_t seed) {
    struct pair *p = pair_new(seed);
    pair_start(p, 0);
    pair_know(p, 0, NULL, false);
    own_peer(p, FIRST);
    p->user = h;
    p->on_event = note;
    struct session_ref s[2];
    pair_connect(p, s);
    h->s = s[0];
    return p;
}

static uint64_t ask(struct pair *p, const struct heard *h, bool fin) {
    uint64_t id;
    size_t taken;
    assert_int_equal(stream_open(p->ep[0], h->s, &id), 0);
    assert_int_equal(stream_write(p->ep[0], h->s, id, "hello", 5, &taken), 0);
    if (fin)
        assert_int_equal(stream_finish(p->ep[0], h->s, id), 0);
    return id;
}

static void a_peers_owner_is_in_all_its_events(void **state) {
    (void)state;
    struct heard h = {0};
    struct pair *p = joined(&h, 1);
    assert_int_equal(h.peers[EP_SESSION_UP], FIRST);
    (void)ask(p, &h, true);
    pair_run(p, 500 * MS, -1, -1);
    assert_int_equal(h.peers[EP_STREAM_READABLE], FIRST);
    own_peer(p, SECOND); /* counts from now on, for what waits as well */
    assert_int_equal(session_datagram(p->ep[0], p->now_us, h.s, "x", 1, TIME_NEVER), 0);
    pair_run(p, 500 * MS, -1, -1);
    assert_int_equal(h.peers[EP_DATAGRAM], SECOND);
    endpoint_peer_remove(p->ep[1], p->now_us, p->peer[1]); /* its last word carries it, too */
    pair_run(p, 500 * MS, -1, -1);
    assert_int_equal(h.count[EP_SESSION_DOWN], 1);
    assert_int_equal(h.peers[EP_SESSION_DOWN], SECOND);
    pair_free(p);
}

static void a_streams_owner_is_in_all_its_events(void **state) {
    (void)state;
    struct heard h = {0};
    struct pair *p = joined(&h, 2);
    uint64_t id = ask(p, &h, false);
    /* OPENED and READABLE wait together: what is written on the stream at the first is in the
     * second. */
    assert_true(pair_run(p, 500 * MS, 1, EP_STREAM_OPENED));
    pair_run(p, 500 * MS, -1, -1);
    assert_int_equal(h.last[EP_STREAM_OPENED], 0);
    assert_int_equal(h.last[EP_STREAM_READABLE], STREAM + id);
    stream_set_owner(p->ep[1], pair_event(p, 1, EP_SESSION_UP)->session, id, 5);
    assert_int_equal(stream_reset(p->ep[0], h.s, id, ERR_CANCELLED), 0);
    assert_int_equal(stream_stop(p->ep[0], h.s, id, ERR_CANCELLED), 0);
    pair_run(p, 500 * MS, -1, -1);
    assert_int_equal(h.last[EP_STREAM_RESET], 5);
    assert_int_equal(h.last[EP_STREAM_STOPPED], 5);
    pair_free(p);
}

/* The stream has gone when its last event is heard. */
static void a_stream_that_has_gone_is_its_last_owners(void **state) {
    (void)state;
    struct heard h = {0};
    struct pair *p = joined(&h, 3);
    const uint64_t id = ask(p, &h, true);
    pair_run(p, 500 * MS, -1, -1);
    const struct session_ref s = pair_event(p, 1, EP_SESSION_UP)->session;
    assert_int_equal(stream_finish(p->ep[1], s, id), 0);
    assert_true(pair_run(p, 500 * MS, 1, EP_STREAM_FINISHED));
    pair_run(p, 500 * MS, -1, -1);
    assert_int_equal(h.last[EP_STREAM_FINISHED], STREAM + id);
    assert_int_equal(stream_window(p->ep[1], s, id), 0);
    stream_set_owner(p->ep[1], s, id, 5); /* nobody's: nothing */
    pair_free(p);
}

static void nobodys_are_zero(void **state) {
    (void)state;
    struct heard h = {.silent = true};
    struct pair *p = joined(&h, 4);
    own_peer(p, 0);
    (void)ask(p, &h, true);
    pair_run(p, 500 * MS, -1, -1);
    assert_int_equal(h.count[EP_STREAM_READABLE], 1);
    assert_int_equal(h.last[EP_STREAM_READABLE], 0);
    assert_int_equal(h.peers[EP_STREAM_READABLE], 0);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peers_owner_is_in_all_its_events),
        cmocka_unit_test(a_streams_owner_is_in_all_its_events),
        cmocka_unit_test(a_stream_that_has_gone_is_its_last_owners),
        cmocka_unit_test(nobodys_are_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
