/* What the tests of the list of transfers share: entries of every end, and what is compared. */
#include "support_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { S = 1000000 };

struct world *list_pair(uint64_t seed) {
    struct world *w = world_new(2, seed);
    world_pair(w, 0, 1);
    world_run(w, S);
    world_sync(w, 0);
    world_sync(w, 1);
    return w;
}

uint64_t list_offer(struct world *w, const char *path, uint64_t *out) {
    *out = files_send(w, &path, 1);
    const struct node_event *e = world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S);
    assert_non_null(e);
    return e->id;
}

void list_restart(struct world *w, unsigned i, bool orderly) {
    if (orderly)
        node_shutdown(w->nodes[i].node, w->now_us);
    world_kill(w, i);
    world_start(w, i);
}

void list_same(const struct transfer_info *a, const struct transfer_info *b) {
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

void list_ends(struct world *w, unsigned i, struct transfer_info ends[static ENDS]) {
    static const char *const many[] = {"/d/a.txt", "/d/b", "/d/c", "/d/d"};
    static const char *const taken = "/d/taken";
    struct node *r = w->nodes[1].node;
    uint64_t out[ENDS], in[ENDS];
    for (unsigned k = 0; k < 4; k++)
        disk_fill(w, 0, many[k], 1000 + k, k);
    disk_fill(w, 0, taken, 10, 1);
    disk_fill(w, 1, "in/taken", 10, 2);
    out[0] = files_send(w, many, 4);
    const struct node_event *e = world_wait(w, 1, NODE_TRANSFER_OFFERED, 10 * S);
    in[0] = e->id;
    world_run(w, 3 * S); /* the user thinks */
    assert_int_equal(node_accept(r, w->now_us, in[0], "in"), 0);
    assert_non_null(world_wait(w, 0, NODE_TRANSFER_DONE, 10 * S));
    in[1] = list_offer(w, many[1], &out[1]);
    assert_int_equal(node_reject(r, w->now_us, in[1]), 0);
    in[2] = list_offer(w, many[2], &out[2]);
    assert_int_equal(node_cancel(w->nodes[0].node, w->now_us, out[2]), 0);
    in[3] = list_offer(w, taken, &out[3]);
    assert_int_equal(node_accept(r, w->now_us, in[3], "in"), 0);
    world_run(w, 2 * S);
    for (unsigned k = 0; k < ENDS; k++)
        ends[k] = files_info(w, i, i ? in[k] : out[k]);
    assert_int_equal(ends[0].state, TRANSFER_DONE);
    assert_int_equal(ends[1].err, ERR_REFUSED);
    assert_int_equal(ends[2].err, ERR_CANCELLED);
    assert_int_equal(ends[3].err, ERR_EXISTS);
    assert_string_equal(ends[3].detail, "taken");
}
