/* Whatever fails while the list of transfers is written, and whenever: it is true afterwards, and
 * what is damaged in it hides nothing but itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/file/transfer/transfer_store.h"
#include "support_list.h"

enum { S = 1000000, MS = 1000 };

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
    struct story s = {.w = list_pair(1000 + nth)};
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
        list_restart(s.w, i, false);
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
    struct world *w = list_pair(60);
    struct transfer_info ends[ENDS], t;
    uint8_t key[STORE_KEY_MAX], value[4096];
    size_t key_len = 0, len;
    list_ends(w, 1, ends);
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
        t = files_info(w, 1, ends[k].id);
        list_same(&t, &ends[k]);
    }
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_fails_leaves_a_list_that_is_true),
        cmocka_unit_test(a_damaged_entry_hides_nothing_but_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
