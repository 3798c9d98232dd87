/* node_content.c: files and messages, as node/node.h has them. */
#include <string.h>

#include "crypto/base/mem.h"
#include "node/node_int.h"

/* ---- files: sending ---- */
/* One allocation: the pointers, then their text. NULL: no memory. */
static char **copy_paths(const char *const *paths, unsigned count) {
    size_t text = 0;
    for (unsigned i = 0; i < count; i++)
        text += strlen(paths[i]) + 1;
    char **copy = mem_alloc(count * sizeof *copy + text + 1);
    if (!copy)
        return NULL;
    char *at = (char *)(copy + count);
    for (unsigned i = 0; i < count; i++) {
        size_t n = strlen(paths[i]) + 1;
        copy[i] = memcpy(at, paths[i], n);
        at += n;
    }
    return copy;
}

int node_send(struct node *n, uint64_t now_us, const char *contact, const char *const *paths,
              unsigned count, uint64_t timeout_us, uint64_t *id) {
    struct send_order order = {contact, copy_paths(paths, count), count, NULL, timeout_us};
    return order.paths ? node_send_taken(n, now_us, &order, id) : ERR_NOMEM;
}

int node_send_taken(struct node *n, uint64_t now_us, const struct send_order *order, uint64_t *id) {
    n->turn.now_us = now_us;
    return file_channel_send(&n->files, order, id);
}

int node_cancel(struct node *n, uint64_t now_us, uint64_t id) {
    n->turn.now_us = now_us;
    return file_channel_cancel(&n->files, id);
}

void node_transfer_abandon(struct node *n, uint64_t now_us, uint64_t id) {
    n->turn.now_us = now_us;
    file_channel_abandon(&n->files, id);
}

/* ---- files: receiving ---- */
bool node_transfer_waits(const struct node *n, uint64_t id) {
    return file_channel_waits(&n->files, id);
}

int node_accept(struct node *n, uint64_t now_us, uint64_t id, const char *dir) {
    n->turn.now_us = now_us;
    return file_channel_accept(&n->files, id, dir);
}

int node_reject(struct node *n, uint64_t now_us, uint64_t id) {
    n->turn.now_us = now_us;
    return file_channel_reject(&n->files, id);
}

int node_recv_start(struct node *n, uint64_t now_us, const char *dir, const char *contact,
                    bool once, uint64_t *id) {
    n->turn.now_us = now_us;
    return file_channel_recv(&n->files, dir, contact, once, id);
}

void node_recv_stop(struct node *n, uint64_t id) {
    recv_rule_stop(&n->files.recv.rules, id);
}

bool node_recv_stands(const struct node *n, uint64_t id) {
    return recv_rule_stands(&n->files.recv.rules, id);
}

/* ---- files: looking ---- */
bool node_transfer_at(const struct node *n, unsigned i, struct transfer_info *out) {
    return file_channel_at(&n->files, i, out);
}

bool node_transfer_get(const struct node *n, uint64_t id, struct transfer_info *out) {
    return file_channel_get(&n->files, id, out);
}

const char *node_transfer_file(const struct node *n, uint64_t id, uint32_t i, uint64_t *size) {
    return file_channel_file(&n->files, id, i, size);
}

/* ---- messages ---- */
int node_message_send(struct node *n, uint64_t now_us, const char *contact, const char *text,
                      size_t len, uint64_t *seq) {
    n->turn.now_us = now_us;
    return message_send(&n->messages, contact, text, len, seq);
}

bool node_message_next(struct node *n, uint64_t after, const char *contact,
                       struct message_info *out) {
    return message_next(&n->messages, after, contact, out);
}

bool node_message_with(struct node *n, const char *contact) {
    return message_with(&n->messages, contact);
}

int node_message_delete(struct node *n, uint64_t now_us, const char *contact, uint64_t after,
                        uint64_t upto, struct message_cut *out) {
    n->turn.now_us = now_us;
    return message_delete(&n->messages, contact, after, upto, out);
}
