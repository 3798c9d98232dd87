/* The control API's input: whatever bytes a client sends, in whatever pieces, on two connections.
 * Inputs are taken as bytes, or as the arguments of a request for one of the methods, so that the
 * handlers are reached too. The work of every turn stays within its bounds.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/control/call/control_group.h"
#include "node/control/control.h"
#include "sim/disk/store_mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state = 1;

static void fill(void *ctx, void *buf, size_t len) {
    uint8_t *out = buf;
    (void)ctx;
    for (size_t i = 0; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out[i] = (uint8_t)(state >> 32);
    }
}

static struct store_mem *store;
static struct node *node;
static struct control *control;
static uint32_t conns[2];
static uint64_t now_us = 1000000;

static void begin(void) {
    static struct identity id;
    static const struct addr addr = {.kind = ADDR_IPV4, .port = 4000, .ip = {10, 0, 0, 1}};
    store = store_mem_new();
    if (!store)
        abort();
    struct env env = {.rng = {fill, NULL}, .store = store_mem_face(store)};
    struct node_config cfg = {.identity = &id, .download_dir = "/in", .wall_us = 1700000000000000};
    struct control_facts facts = {.version = "0", .listen = &addr, .listen_count = 1};
    identity_generate(&id, &env.rng);
    node = node_new(&cfg, &env, now_us);
    control = node ? control_new(node, &facts) : NULL;
    if (!control)
        abort();
    for (unsigned i = 0; i < 2; i++)
        if (control_open(control, &conns[i]) != 0)
            abort();
}

/* Everything is pulled, nothing is kept. */
static void turn(void) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    struct node_event e;
    struct file_op *op;
    const uint8_t *out;
    size_t len;
    bool more = control_run(control, now_us);
    struct control_work k = control_last_work(control);
    assert(k.requests <= CONTROL_TURN_REQUESTS);
    /* The one that goes over the bound is the last. */
    assert(k.bytes <=
           CONTROL_TURN_BYTES + CONTROL_REQUEST_MAX + CONTROL_PAGE_BYTES + 2 * MESSAGE_MAX_BYTES);
    while (node_output(node, now_us, &t))
        continue;
    while (node_poll(node, &e))
        control_event(control, now_us, &e);
    for (unsigned i = 0; i < 100 && (op = node_next_file_op(node)) != NULL; i++) {
        op->err = ERR_NOT_FOUND;
        node_file_done(node, now_us, op);
    }
    for (unsigned i = 0; i < 2; i++)
        while (control_output(control, conns[i], &out, &len))
            control_sent(control, conns[i], len);
    now_us += 1000;
    if (control_deadline_us(control) <= now_us)
        control_timeout(control, now_us);
    if (node_deadline_us(node) <= now_us)
        node_timeout(node, now_us);
    if (more)
        turn();
}

static void give(unsigned i, const uint8_t *data, size_t size) {
    int err = control_input(control, now_us, conns[i], data, size);
    turn();
    if (err == 0 && !control_wants_close(control, conns[i]))
        return;
    control_close(control, now_us, conns[i]);
    if (control_open(control, &conns[i]) != 0)
        abort();
}

/* One of the methods. */
static const struct method *drawn(uint8_t draw) {
    unsigned count = 0;
    while (group_method_at(control_groups, count))
        count++;
    return group_method_at(control_groups, draw % count);
}

/* [0, id, one of the methods, input] */
static void give_as_params(const uint8_t *data, size_t size) {
    const char *name = drawn(data[0])->name;
    uint8_t head[64] = {0x94, 0, data[1] & 0x7f, (uint8_t)(0xa0 | strlen(name))};
    memcpy(head + 4, name, strlen(name));
    give(0, head, 4 + strlen(name));
    give(0, data + 2, size - 2);
}

/* The same, with the method's own arguments: values are drawn from the input. */
static void give_as_values(const uint8_t *data, size_t size) {
    static struct proto_writer w;
    const struct method *m = drawn(data[0]);
    if (w.max == 0)
        proto_writer_init(&w, 1 << 20);
    proto_writer_reset(&w);
    proto_request(&w, data[1], m->name);
    proto_map(&w, NULL);
    size_t at = 2;
    for (unsigned i = 0; m->args[i].name && at < size; i++) {
        const char *text = (const char *)data + at;
        size_t len = (size - at) / 2;
        bool strs = m->args[i].kind == ARG_STRS || m->args[i].kind == ARG_FEW;
        if (strs)
            proto_array(&w, m->args[i].name);
        if (m->args[i].kind == ARG_UINT)
            proto_uint(&w, m->args[i].name, data[at] < 250 ? data[at] : UINT64_MAX);
        else if (m->args[i].kind == ARG_BOOL)
            proto_bool(&w, m->args[i].name, data[at] & 1);
        else
            proto_strn(&w, strs ? NULL : m->args[i].name, text, len);
        if (strs)
            proto_end(&w);
        at += len + 1;
    }
    proto_end(&w);
    if (strcmp(m->name, "shutdown") != 0)
        give(1, w.buf, w.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!control)
        begin();
    if (size < 3)
        return 0;
    size_t half = data[2] % size;
    /* What cannot be stored is an error like any other. */
    store_mem_fail(store, data[1] % 8, data[0] % 4 == 0 ? ERR_DISK : 0);
    give(0, data, half);
    give(1, data, size);
    give(0, data + half, size - half);
    give_as_params(data, size);
    give_as_values(data, size);
    return 0;
}
