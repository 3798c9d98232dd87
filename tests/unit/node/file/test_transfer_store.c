/* The list of transfers survives whatever ends the process, says what became of each, and gives no
 * number twice; and it costs the disk little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/file/transfer/transfer_store.h"
#include "node/node_int.h"
#include "support_world.h"

enum { S = 1000000, MS = 1000 };

static struct world *two(uint64_t seed) {
    struct world *w = world_new(2, seed);
    world_pair(w, 0, 1);
    world_run(w, S);
    world_sync(w, 0);
    world_sync(w, 1);
    return w;
}

static struct transfer_info info(struct world *w, unsigned node, uint64_t id) {
    struct transfer_info t;
    assert_true(node_transfer_get(w->nodes[node].node, id, &t));
    return t;
}

static uint64_t begin(struct world *w, const char *const *paths, unsigned count) {
    uint64_t id = 0;
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", paths, count, 0, &id), 0);
    return id;
}

/* An offer that has come: its number at node 1. */
static uint64_t offer(struct world *w, const char *path, uint64_t *out) {
    *out = begin(w, &path, 1);
    const struct node_event *e = world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S);
    assert_non_null(e);
    return e->id;
}

static void restart(struct world *w, unsigned i, bool orderly) {
    if (orderly)
        node_shutdown(w->nodes[i].node, w->now_us);
    world_kill(w, i);
    world_start(w, i);
}

/* All that is told of it but the times of a clock that is not this process's. */
static void assert_same(const struct transfer_info *a, const struct transfer_info *b) {
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->outgoing, b->outgoing);
    assert_string_equal(a->contact, b->contact);
    assert_memory_equal(&a->node, &b->node, sizeof a->node);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->err, b->err);
    assert_string_equal(a->detail, b->detail);
    assert_int_equal(a->files, b->files);
    assert_int_equal(a->files_done, b->files_done);
    assert_int_equal(a->bytes_total, b->bytes_total);
    assert_int_equal(a->bytes_done, b->bytes_done);
    assert_int_equal(a->wall_us, b->wall_us);
    assert_int_equal(a->ended_us - a->started_us, b->ended_us - b->started_us);
    assert_int_equal(a->accepted_us == 0, b->accepted_us == 0);
    if (a->accepted_us)
        assert_int_equal(a->ended_us - a->accepted_us, b->ended_us - b->accepted_us);
    assert_string_equal(a->dir, b->dir);
}

enum { ENDS = 4 }; /* done, refused, cancelled, a file that is there already */

/* One of each end, as node i lists them. */
static void make_ends(struct world *w, unsigned i, struct transfer_info ends[static ENDS]) {
    static const char *const many[] = {"/d/a.txt", "/d/b", "/d/c", "/d/d"};
    static const char *const taken = "/d/taken";
    struct node *r = w->nodes[1].node;
    uint64_t out[ENDS], in[ENDS];
    for (unsigned k = 0; k < 4; k++)
        disk_fill(w, 0, many[k], 1000 + k, k);
    disk_fill(w, 0, taken, 10, 1);
    disk_fill(w, 1, "in/taken", 10, 2);
    out[0] = begin(w, many, 4);
    const struct node_event *e = world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S);
    in[0] = e->id;
    world_run(w, 3 * S); /* the user thinks */
    assert_int_equal(node_accept(r, w->now_us, in[0], "in"), 0);
    assert_non_null(world_wait(w, 0, NODE_TRANSFER_DONE, 10 * S));
    in[1] = offer(w, many[1], &out[1]);
    assert_int_equal(node_reject(r, w->now_us, in[1]), 0);
    in[2] = offer(w, many[2], &out[2]);
    assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, out[2]), 0);
    in[3] = offer(w, taken, &out[3]);
    assert_int_equal(node_accept(r, w->now_us, in[3], "in"), 0);
    world_run(w, 2 * S);
    for (unsigned k = 0; k < ENDS; k++)
        ends[k] = info(w, i, i ? in[k] : out[k]);
    assert_int_equal(ends[0].state, TRANSFER_DONE);
    assert_int_equal(ends[1].err, ERR_REFUSED);
    assert_int_equal(ends[2].err, ERR_CANCELLED);
    assert_int_equal(ends[3].err, ERR_EXISTS);
    assert_string_equal(ends[3].detail, "taken");
}

static void the_list_survives_a_restart(void **state) {
    (void)state;
    enum { KILLED, ORDERLY, POWER_CUT, WAYS };
    for (unsigned i = 0; i < 2; i++)
        for (unsigned way = 0; way < WAYS; way++) {
            struct world *w = two(1 + i);
            struct transfer_info ends[ENDS], t;
            make_ends(w, i, ends);
            const struct node_id peer = w->nodes[!i].identity.id;
            for (unsigned round = 0; round < 2; round++) {
                if (way == POWER_CUT) {
                    world_power_cut(w, i, 0);
                    world_start(w, i);
                } else {
                    restart(w, i, way == ORDERLY);
                }
                world_run(w, 10 * S);
            }
            struct node *n = w->nodes[i].node;
            for (unsigned k = 0; k < ENDS; k++) {
                assert_true(node_transfer_at(n, k, &t));
                assert_same(&t, &ends[k]);
            }
            assert_false(node_transfer_at(n, ENDS, &t));
            /* The first of its names are there, too. */
            uint64_t size;
            assert_string_equal(node_transfer_file(n, ends[0].id, 0, &size), "a.txt");
            assert_int_equal(size, 1000);
            assert_string_equal(node_transfer_file(n, ends[0].id, 2, &size), "c");
            assert_null(node_transfer_file(n, ends[0].id, 3, &size));
            /* It is with the contact, whatever that is called, and stays when it is gone. */
            assert_int_equal(node_contact_rename(n, w->now_us, i ? "n0" : "n1", "somebody else"),
                             0);
            world_run(w, S);
            restart(w, i, false);
            n = w->nodes[i].node;
            assert_string_equal(info(w, i, ends[0].id).contact, "somebody else");
            assert_int_equal(node_contact_remove(n, w->now_us, "somebody else"), 0);
            world_run(w, S);
            restart(w, i, false);
            t = info(w, i, ends[0].id);
            assert_string_equal(t.contact, "somebody else");
            assert_memory_equal(&t.node, &peer, sizeof peer);
            world_free(w);
        }
}

/* At any stage: it is told as ended with meshd, on its side, and the peer hears of it. */
static void what_was_under_way_has_ended_with_the_process(void **state) {
    (void)state;
    enum { WAITS, RUNS, STAGES };
    for (unsigned who = 0; who < 2; who++)
        for (unsigned stage = 0; stage < STAGES; stage++)
            for (unsigned orderly = 0; orderly < 2; orderly++) {
                struct world *w = two(10);
                uint64_t out;
                w->disk_us = 3 * MS;
                disk_fill(w, 0, "/d/long", 100 << 20, 1);
                const uint64_t in = offer(w, "/d/long", &out), own = who ? in : out;
                if (stage == RUNS) {
                    assert_int_equal(node_accept(w->nodes[1].node, w->now_us, in, "in"), 0);
                    for (unsigned i = 0; i < 2000 && info(w, who, own).bytes_done < 20 << 20; i++)
                        world_run(w, 10 * MS);
                    assert_in_range(info(w, who, own).bytes_done, 20 << 20, 90 << 20);
                }
                restart(w, who, orderly);
                const struct transfer_info t = info(w, who, own);
                assert_int_equal(t.state, TRANSFER_FAILED);
                assert_int_equal(t.err, ERR_ENDED);
                assert_int_equal(t.files, 1);
                assert_int_equal(t.bytes_total, 100 << 20);
                assert_int_equal(node_accept(w->nodes[1].node, w->now_us, in, "in"), who ? ERR_USAGE
                                                                                     : stage == RUNS
                                                                                         ? ERR_USAGE
                                                                                         : 0);
                if (who == 0) /* its offer ends there, with a sentence */
                    world_run(w, 60 * S);
                if (who == 0) {
                    const struct transfer_info there = info(w, 1, in);
                    assert_int_equal(there.state, TRANSFER_FAILED);
                    assert_true(there.err == ERR_CLOSED || there.err == ERR_OFFLINE);
                }
                restart(w, who, false);
                assert_int_equal(info(w, who, own).err, ERR_ENDED);
                world_free(w);
            }
}

static void a_long_one_is_stored_on_its_way_but_rarely(void **state) {
    (void)state;
    struct world *w = two(20);
    uint64_t out;
    w->disk_us = 40 * MS;
    disk_fill(w, 0, "/d/long", 300 << 20, 1);
    const uint64_t in = offer(w, "/d/long", &out);
    assert_int_equal(node_accept(w->nodes[1].node, w->now_us, in, "in"), 0);
    world_run(w, S);
    for (unsigned who = 0; who < 2; who++) {
        struct store_mem *store = w->nodes[who].store;
        const uint64_t writes = store_mem_writes(store), syncs = store_mem_syncs(store);
        const uint64_t from_us = w->now_us, done = info(w, who, who ? in : out).bytes_done;
        world_run(w, 11 * S);
        const struct transfer_info t = info(w, who, who ? in : out);
        assert_int_equal(t.state, TRANSFER_RUNNING);
        assert_true(t.bytes_done > done);
        assert_true(world_count(w, who, NODE_TRANSFER_PROGRESS) > 30);
        /* A row and a commit each time; and no fsync at all. */
        assert_in_range(store_mem_writes(store) - writes, 2,
                        2 * ((w->now_us - from_us) / TRANSFER_PROGRESS_STORED_US + 1));
        assert_int_equal(store_mem_syncs(store), syncs);
    }
    restart(w, 1, false);
    assert_int_equal(info(w, 1, in).err, ERR_ENDED);
    assert_true(info(w, 1, in).bytes_done > 1 << 20); /* how far it was */
    world_free(w);
}

static void the_list_is_bounded_and_its_oldest_go(void **state) {
    (void)state;
    struct world *w = two(30);
    struct transfer_info t;
    uint64_t out = 0, first;
    disk_fill(w, 0, "/d/f", 10, 1);
    for (unsigned k = 0; k < 3 * TRANSFERS_KEPT; k++) {
        (void)offer(w, "/d/f", &out);
        assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, out), 0);
        world_run(w, 100 * MS);
    }
    world_run(w, 5 * S);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(node_transfer_at(w->nodes[i].node, 0, &t));
        first = t.id;
        assert_true(first >= 2 * TRANSFERS_KEPT);
        assert_in_range(store_count(w, i, "transfers"), TRANSFERS_KEPT, TRANSFERS_KEPT + 1);
        restart(w, i, false);
        assert_true(node_transfer_at(w->nodes[i].node, 0, &t));
        assert_int_equal(t.id, first);
    }
    world_free(w);
}

/* A contact that offers and takes back, as fast as it can. */
static void a_flood_of_offers_costs_few_transactions(void **state) {
    (void)state;
    struct world *w = two(40);
    uint64_t out;
    disk_fill(w, 0, "/d/f", 10, 1);
    struct store_mem *store = w->nodes[1].store;
    const uint64_t syncs = store_mem_syncs(store), from_us = w->now_us;
    for (unsigned k = 0; k < 1000; k++) {
        (void)offer(w, "/d/f", &out);
        assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, out), 0);
        world_run(w, MS);
    }
    const uint64_t took_us = w->now_us - from_us;
    assert_true(took_us < 60 * S);
    const uint64_t transactions = 10 + took_us / (200 * MS) + 2;
    assert_in_range(store_mem_syncs(store) - syncs, 10, transactions);
    assert_in_range(store_count(w, 1, "transfers"), 1, TRANSFERS_STORED_MAX);
    world_free(w);
}

static void a_number_is_never_given_twice(void **state) {
    (void)state;
    enum { KILLED, ORDERLY, POWER_CUT, WAYS };
    for (unsigned way = 0; way < WAYS; way++)
        for (unsigned wait_ms = 0; wait_ms < 30; wait_ms += 7) {
            struct world *w = two(50 + way);
            uint64_t last = 0, out;
            const char *path = "/d/f";
            disk_fill(w, 0, path, 10, 1);
            (void)offer(w, path, &out);
            world_run(w, S);
            for (unsigned round = 0; round < 6; round++) {
                for (unsigned k = 0; k < 4; k++) {
                    out = begin(w, &path, 1);
                    assert_true(out > last);
                    assert_true(way != ORDERLY || last == 0 || out == last + 1);
                    assert_true(out <= last + 1 + 2 * WRITE_PACE_IDS);
                    last = out;
                    world_run(w, wait_ms * MS);
                }
                if (way == POWER_CUT) {
                    world_power_cut(w, 0, 0);
                    world_start(w, 0);
                } else {
                    restart(w, 0, way == ORDERLY);
                }
            }
            world_free(w);
        }
}

/* What was told before a transaction that is put off is not told of another transfer after it. */
static void nor_in_a_flood_that_a_crash_ends(void **state) {
    (void)state;
    for (unsigned offers = 30; offers <= 330; offers += 15) {
        struct world *w = two(70);
        uint64_t out, told = 0;
        disk_fill(w, 0, "/d/f", 10, 1);
        for (unsigned k = 0; k < offers; k++) {
            told = offer(w, "/d/f", &out);
            assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, out), 0);
        }
        world_power_cut(w, 1, 0);
        world_start(w, 1);
        world_run(w, 30 * S);
        assert_true(offer(w, "/d/f", &out) > told);
        world_free(w);
    }
}

/* Faster than the list is written: the numbers are, nevertheless. */
static void nor_in_a_flood_that_ends_in_order_or_not(void **state) {
    (void)state;
    for (unsigned way = 0; way < 2; way++)
        for (unsigned many = 10; many < 400; many += 30) {
            struct world *w = two(60 + way);
            uint64_t out = 0, last = 0;
            disk_fill(w, 0, "/d/f", 10, 1);
            for (unsigned k = 0; k < many; k++) {
                last = offer(w, "/d/f", &out);
                assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, out), 0);
                world_run(w, MS);
            }
            for (unsigned i = 0; i < 2; i++) {
                if (way) {
                    world_power_cut(w, i, 0);
                    world_start(w, i);
                } else {
                    restart(w, i, false);
                }
            }
            assert_non_null(world_wait(w, 0, NODE_PEER_UP, 10 * S));
            world_run(w, S);
            const uint64_t sent = out, next = offer(w, "/d/f", &out);
            assert_true(next > last);
            assert_true(out > sent);
            world_free(w);
        }
}

/* ---- a store that fails ---- */
enum fate { FAILS_ONCE, FAILS_A_WHILE, DIES, LOSES_POWER, LOSES_POWER_BUT_ONE, FATES };
enum { TOLD_MAX = 64, STEPS = 60 };

struct told { /* what a user has been told of a number */
    uint64_t id;
    char name[16];
    enum transfer_state state;
    int err;
};
struct story {
    struct world *w;
    struct told told[2][TOLD_MAX];
    unsigned count[2], seen[2];
};

static struct told *told_of(struct story *s, unsigned i, uint64_t id) {
    for (unsigned k = 0; k < s->count[i]; k++)
        if (s->told[i][k].id == id)
            return &s->told[i][k];
    return NULL;
}

/* Takes note of what each lists; what it says of a number is never about another transfer. */
static void look(struct story *s) {
    for (unsigned i = 0; i < 2; i++) {
        struct transfer_info t;
        uint64_t size, last = 0;
        if (world_dead(&s->w->nodes[i]))
            continue;
        const struct node *n = s->w->nodes[i].node;
        for (unsigned k = 0; node_transfer_at(n, k, &t); k++) {
            const char *name = node_transfer_file(n, t.id, 0, &size);
            assert_non_null(name);
            assert_true(t.id > last);
            last = t.id;
            struct told *o = told_of(s, i, t.id);
            if (!o) {
                assert_true(s->count[i] < TOLD_MAX);
                o = &s->told[i][s->count[i]++];
                o->id = t.id;
                snprintf(o->name, sizeof o->name, "%s", name);
            }
            assert_string_equal(o->name, name);
            assert_true(size == 10 || (i == 0 && t.bytes_total == 0)); /* not looked at yet */
            assert_int_equal(t.files, 1);
            assert_string_equal(t.contact, i ? "n0" : "n1");
            assert_int_equal(t.outgoing, i == 0);
            const bool ended = o->state == TRANSFER_DONE || o->state == TRANSFER_FAILED;
            if (ended && t.err != ERR_ENDED) { /* which its end may be, if that was not stored */
                assert_int_equal(t.state, o->state);
                assert_int_equal(t.err, o->err);
            }
            o->state = t.state;
            o->err = t.err;
        }
    }
}

static void go_on(struct story *s, unsigned step) {
    struct world *w = s->w;
    char path[24];
    const char *paths[] = {path};
    struct transfer_info t;
    uint64_t id;
    int err = 0;
    if (step % 5 == 0 && !world_dead(&w->nodes[0])) {
        snprintf(path, sizeof path, "/d/f%u", step);
        disk_fill(w, 0, path, 10, step);
        err = node_send(w->nodes[0].node, w->now_us, "n1", paths, 1, 0, &id);
    }
    for (unsigned k = 0;
         step % 5 == 4 && !world_dead(&w->nodes[1]) && node_transfer_at(w->nodes[1].node, k, &t);
         k++)
        if (t.state == TRANSFER_OFFERED)
            err = t.id % 3 == 0   ? node_reject(w->nodes[1].node, w->now_us, t.id)
                  : t.id % 3 == 1 ? node_accept(w->nodes[1].node, w->now_us, t.id, "in")
                                  : 0;
    (void)err;
}

static void befall(struct story *s, unsigned i, enum fate f) {
    if (f == FAILS_ONCE || f == FAILS_A_WHILE) {
        store_die_at(s->w, i, 0);
        return;
    }
    if (f == DIES)
        world_kill(s->w, i);
    else
        world_power_cut(s->w, i, f == LOSES_POWER_BUT_ONE);
    world_run(s->w, 200 * MS);
    world_start(s->w, i);
}

/* False if the story ended before the n-th write. */
static bool at_write(unsigned who, unsigned nth, enum fate f) {
    struct story s = {.w = two(1000 + nth)};
    bool hit = false;
    for (unsigned k = 0; k < 10; k++) /* so that more numbers are laid in the middle of the story */
        go_on(&s, 5 * (STEPS + k));
    world_run(s.w, S);
    look(&s);
    s.w->sync_us = 5 * MS;
    s.w->nodes[who].mortal = f >= DIES;
    store_die_at(s.w, who, nth);
    for (unsigned step = 0; step < STEPS; step++) {
        go_on(&s, step);
        world_run(s.w, 20 * MS);
        if (!hit && store_mem_failed(s.w->nodes[who].store) &&
            (f != FAILS_A_WHILE || step % 20 == 19)) {
            hit = true;
            befall(&s, who, f);
        }
        look(&s);
    }
    store_die_at(s.w, who, 0);
    world_run(s.w, 120 * S); /* longer than it is tried again after a failure */
    look(&s);
    struct transfer_info before[2][TOLD_MAX], t;
    unsigned listed[2] = {0};
    for (unsigned i = 0; i < 2; i++) {
        assert_true(s.count[i] > 0);
        while (node_transfer_at(s.w->nodes[i].node, listed[i], &before[i][listed[i]]))
            listed[i]++;
    }
    for (unsigned i = 0; i < 2; i++) { /* now that nothing fails, nothing is lost */
        restart(s.w, i, false);
        look(&s);
        for (unsigned k = 0; k < listed[i]; k++) {
            assert_true(node_transfer_at(s.w->nodes[i].node, k, &t));
            assert_int_equal(t.id, before[i][k].id);
        }
        assert_false(node_transfer_at(s.w->nodes[i].node, listed[i], &t));
    }
    world_free(s.w);
    return hit;
}

static void whatever_fails_leaves_a_list_that_is_true(void **state) {
    (void)state;
    for (unsigned f = 0; f < FATES; f++)
        for (unsigned who = 0; who < 2; who++) {
            unsigned nth = 1;
            while (at_write(who, nth, (enum fate)f))
                nth++;
            assert_in_range(nth, 30, 200);
        }
}

static void a_damaged_entry_hides_nothing_but_itself(void **state) {
    (void)state;
    struct world *w = two(60);
    struct transfer_info ends[ENDS], t;
    uint8_t key[STORE_KEY_MAX], value[4096];
    size_t key_len = 0, len;
    make_ends(w, 1, ends);
    world_kill(w, 1);
    const struct store *s = &w->nodes[1].env.store;
    /* Cut at any place, each bit of it turned: at worst it is not there. */
    assert_int_equal(s->next(s->ctx, "transfers", key, &key_len, value, sizeof value, &len), 0);
    for (size_t at = 0; at < 2 * len; at++) {
        uint8_t bad[sizeof value];
        memcpy(bad, value, len);
        if (at >= len)
            bad[at - len] ^= (uint8_t)(1u << at % 8);
        assert_int_equal(s->put(s->ctx, "transfers", key, key_len, bad, at < len ? at : len), 0);
        world_start(w, 1);
        unsigned listed = 0;
        while (node_transfer_at(w->nodes[1].node, listed, &t))
            listed++;
        assert_in_range(listed, ENDS - 1, at < len ? ENDS - 1 : ENDS);
        world_kill(w, 1);
    }
    /* Keys that are none, and a value larger than any. */
    uint8_t *large = calloc(1, STORE_VALUE_MAX);
    assert_int_equal(s->put(s->ctx, "transfers", "x", 1, value, len), 0);
    assert_int_equal(s->put(s->ctx, "transfers", key, key_len, large, STORE_VALUE_MAX), 0);
    free(large);
    world_start(w, 1);
    world_run(w, S);
    assert_int_equal(store_count(w, 1, "transfers"), ENDS - 1 + 1);
    for (unsigned k = 1; k < ENDS; k++) {
        t = info(w, 1, ends[k].id);
        assert_same(&t, &ends[k]);
    }
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_survives_a_restart),
        cmocka_unit_test(what_was_under_way_has_ended_with_the_process),
        cmocka_unit_test(a_long_one_is_stored_on_its_way_but_rarely),
        cmocka_unit_test(the_list_is_bounded_and_its_oldest_go),
        cmocka_unit_test(a_flood_of_offers_costs_few_transactions),
        cmocka_unit_test(a_number_is_never_given_twice),
        cmocka_unit_test(nor_in_a_flood_that_a_crash_ends),
        cmocka_unit_test(nor_in_a_flood_that_ends_in_order_or_not),
        cmocka_unit_test(whatever_fails_leaves_a_list_that_is_true),
        cmocka_unit_test(a_damaged_entry_hides_nothing_but_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
