/* What the tests of files share: who sends to whom, and what is known of it then. */
#include "support_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void set_rule(struct world *w, unsigned i, enum accept_rule accept) {
    world_kill(w, i);
    w->nodes[i].cfg.accept = accept;
    world_start(w, i);
}

struct world *files_pair(uint64_t seed, enum accept_rule accept) {
    struct world *w = world_new(2, seed);
    set_rule(w, 1, accept);
    world_pair(w, 0, 1);
    return w;
}

struct world *files_star(unsigned count, uint64_t seed, enum accept_rule accept) {
    struct world *w = world_new(count, seed);
    set_rule(w, 0, accept);
    for (unsigned i = 1; i < count; i++)
        world_pair(w, 0, i);
    return w;
}

uint64_t files_send(struct world *w, const char *const *paths, unsigned count) {
    uint64_t id = 0;
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", paths, count, 0, &id), 0);
    return id;
}

uint64_t files_send_one(struct world *w, const char *path) {
    return files_send(w, &path, 1);
}

struct transfer_info files_info(struct world *w, unsigned node, uint64_t id) {
    struct transfer_info t;
    assert_true(node_transfer_get(w->nodes[node].node, id, &t));
    return t;
}

void files_arrived(struct world *w, const char *from, const char *to) {
    assert_true(disk_same(w->nodes[0].disk, from, w->nodes[1].disk, to));
}
