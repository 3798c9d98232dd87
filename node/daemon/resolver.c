#include "node/daemon/resolver.h"

#include <assert.h>
#include <string.h>

#include "net/io/sockaddr.h"

void resolver_open(struct resolver *r) {
    memset(r->lookups, 0, sizeof r->lookups);
    (void)uv_idle_init(r->loop, &r->later);
    r->later.data = r;
}

static bool holds(const struct addr *addrs, unsigned count, const struct addr *a) {
    for (unsigned i = 0; i < count; i++)
        if (addr_equal(&addrs[i], a))
            return true;
    return false;
}

/* As the system orders them (RFC 6724); each once. */
static unsigned take(const struct addrinfo *list, struct addr out[static RESOLVE_ADDRS_MAX]) {
    unsigned count = 0;
    for (; list && count < RESOLVE_ADDRS_MAX; list = list->ai_next) {
        struct addr a;
        if (sockaddr_to(&a, list->ai_addr) && !holds(out, count, &a))
            out[count++] = a;
    }
    return count;
}

static void on_found(uv_getaddrinfo_t *req, int status, struct addrinfo *list) {
    struct lookup *l = req->data;
    struct resolver *r = l->in;
    struct addr addrs[RESOLVE_ADDRS_MAX];
    const unsigned count = status == 0 ? take(list, addrs) : 0;
    uv_freeaddrinfo(list);
    l->in = NULL;
    if (r->closing)
        return;
    if (status != 0)
        log_put(r->log, LOG_INFO, "the name %s cannot be looked up: %s", l->name.host,
                uv_strerror(status));
    r->found(r->ctx, l->name.id, addrs, count);
    r->all_found(r->ctx);
}

/* Those that could not be begun. */
static void on_later(uv_idle_t *i) {
    struct resolver *r = i->data;
    uv_idle_stop(i);
    for (unsigned k = 0; k < RESOLVE_OUT_MAX; k++)
        if (r->lookups[k].in && !r->lookups[k].req.data) {
            r->lookups[k].in = NULL;
            r->found(r->ctx, r->lookups[k].name.id, NULL, 0);
        }
    r->all_found(r->ctx);
}

void resolver_ask(struct resolver *r, const struct resolve *name) {
    /* All families: what an address is good for is found out by using it. */
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    unsigned i = 0;
    while (i < RESOLVE_OUT_MAX && r->lookups[i].in)
        i++;
    assert(i < RESOLVE_OUT_MAX);
    struct lookup *l = &r->lookups[i];
    l->in = r;
    l->name = *name;
    l->req.data = l;
    const int err = uv_getaddrinfo(r->loop, &l->req, on_found, l->name.host, NULL, &hints);
    if (err != 0) { /* no memory */
        l->req.data = NULL;
        (void)uv_idle_start(&r->later, on_later);
    }
}

bool resolver_close(struct resolver *r) {
    bool busy = false;
    if (!r->loop)
        return true;
    r->closing = true;
    for (unsigned i = 0; i < RESOLVE_OUT_MAX; i++) {
        struct lookup *l = &r->lookups[i];
        if (l->in && l->req.data && uv_cancel((uv_req_t *)&l->req) != 0)
            busy = true;
    }
    if (!uv_is_closing((uv_handle_t *)&r->later))
        uv_close((uv_handle_t *)&r->later, NULL);
    return !busy;
}
