#include "node/control/call/control_wait.h"

#include <sodium.h>
#include <string.h>

#include "crypto/base/mem.h"

void waits_init(struct waits *ws, struct node *n, struct conns *cs) {
    *ws = (struct waits){.node = n, .conns = cs};
}

void waits_clear(struct waits *ws) {
    while (ws->end > 0)
        wait_forget(ws, &ws->all[ws->end - 1]);
}

/* Whether the connection has as many as are free already. */
static bool share_used(const struct waits *ws, uint32_t conn) {
    unsigned used = 0, own = 0;
    for (unsigned i = 0; i < ws->end; i++) {
        used += ws->all[i].kind != NULL;
        own += ws->all[i].kind != NULL && ws->all[i].conn == conn;
    }
    return own >= CONTROL_WAITS_MAX - used;
}

struct wait *wait_new(struct call *call, const struct wait_kind *kind, uint64_t deadline_us) {
    struct waits *ws = call->waits;
    bool taken = share_used(ws, call->conn->index);
    for (unsigned i = 0; !taken && i < CONTROL_WAITS_MAX; i++) {
        if (ws->all[i].kind)
            continue;
        ws->all[i] = (struct wait){.kind = kind,
                                   .conn = call->conn->index,
                                   .request = call->id,
                                   .deadline_us = deadline_us,
                                   .retry_us = UINT64_MAX};
        if (i >= ws->end)
            ws->end = i + 1;
        return &ws->all[i];
    }
    int err = call_limit(call, LIMIT_REQUESTS, CONTROL_WAITS_MAX, NULL);
    (void)err; /* the caller says so */
    return NULL;
}

void wait_forget(struct waits *ws, struct wait *w) {
    w->kind = NULL;
    if (w->text)
        sodium_memzero(w->text, strlen(w->text));
    mem_free(w->text);
    w->text = NULL;
    while (ws->end > 0 && !ws->all[ws->end - 1].kind)
        ws->end--;
}

unsigned wait_count(const struct waits *ws, const struct conn *conn, const struct wait_kind *kind) {
    unsigned n = 0;
    for (unsigned i = 0; i < ws->end; i++)
        n += ws->all[i].kind == kind && ws->all[i].conn == conn->index;
    return n;
}

/* ---- answers ---- */

static void answer_failure(struct waits *ws, uint64_t now_us, struct wait *w,
                           const struct failure *f) {
    proto_writer_reset(&ws->conns->w);
    proto_error_told(&ws->conns->w, w->request, f);
    wait_forget(ws, w);
    conn_push(ws->conns, now_us, &ws->conns->all[w->conn]);
}

void wait_error(struct waits *ws, uint64_t now_us, struct wait *w, int err, const char *text) {
    const struct failure f = {err, cause_here(err), text, w->contact};
    answer_failure(ws, now_us, w, &f);
}

void wait_told(struct waits *ws, uint64_t now_us, struct wait *w, const struct node_event *e) {
    const struct failure f = {e->err ? e->err : ERR_FAILED, e->cause, NULL, w->contact};
    answer_failure(ws, now_us, w, &f);
}

struct proto_writer *wait_open(struct waits *ws, const struct wait *w) {
    proto_writer_reset(&ws->conns->w);
    proto_response(&ws->conns->w, w->request);
    proto_map(&ws->conns->w, NULL);
    return &ws->conns->w;
}

void wait_close(struct waits *ws, uint64_t now_us, struct wait *w) {
    proto_end(&ws->conns->w);
    wait_forget(ws, w);
    conn_push(ws->conns, now_us, &ws->conns->all[w->conn]);
    proto_writer_reset(&ws->conns->w); /* a ticket may have been in it */
}

void wait_uint(struct waits *ws, uint64_t now_us, struct wait *w, const char *key) {
    proto_uint(wait_open(ws, w), key, w->ref);
    wait_close(ws, now_us, w);
}

/* ---- what happens ---- */

/* One whose connection has ended is let go of soon (waits_drop_conn), and told nothing till
 * then. */
static bool stands(const struct waits *ws, const struct wait *w) {
    return w->kind && !ws->conns->all[w->conn].closing;
}

void waits_drop_conn(struct waits *ws, uint64_t now_us, uint32_t conn) {
    for (unsigned i = 0; i < ws->end; i++) {
        struct wait *w = &ws->all[i];
        if (!w->kind || w->conn != conn)
            continue;
        if (w->kind->dropped)
            w->kind->dropped(ws, now_us, w);
        wait_forget(ws, w);
    }
}

void waits_event(struct waits *ws, uint64_t now_us, const struct node_event *e) {
    for (unsigned i = 0; i < ws->end; i++) {
        struct wait *w = &ws->all[i];
        if (!stands(ws, w))
            continue;
        /* Who waits for a contact goes on waiting for it under its new name. */
        if (e->kind == NODE_CONTACT_RENAMED && !w->kind->for_name &&
            strcmp(w->contact, e->detail) == 0)
            memcpy(w->contact, e->contact, sizeof w->contact);
        w->kind->event(ws, now_us, w, e);
    }
}

uint64_t waits_deadline_us(const struct waits *ws) {
    uint64_t first = UINT64_MAX;
    for (unsigned i = 0; i < ws->end; i++) {
        const struct wait *w = &ws->all[i];
        if (!w->kind)
            continue;
        if (w->deadline_us < first)
            first = w->deadline_us;
        if (w->retry_us < first)
            first = w->retry_us;
    }
    return first;
}

void waits_timeout(struct waits *ws, uint64_t now_us) {
    unsigned retries = 0; /* each costs X25519: what is over is due at the next turn, too */
    for (unsigned i = 0; i < ws->end; i++) {
        struct wait *w = &ws->all[i];
        if (!stands(ws, w))
            continue;
        if (now_us >= w->deadline_us && w->kind->expired)
            w->kind->expired(ws, now_us, w);
        else if (now_us >= w->deadline_us)
            wait_error(ws, now_us, w, ERR_TIMEOUT, w->kind->late);
        else if (now_us >= w->retry_us && retries++ < CONTROL_RETRIES)
            w->kind->retry(ws, now_us, w);
    }
}
