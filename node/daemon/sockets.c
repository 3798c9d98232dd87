#include "node/daemon/sockets.h"

#include <stdlib.h>
#include <string.h>

#include "net/base/limits.h"

struct waiting {
    struct waiting *next;
    struct train train; /* of one datagram, which is in data */
    uint8_t data[];
};

static const char *explain(int err) {
    switch (err) {
    case ERR_EXISTS:
        return "another program has the port; end it, or give another one with --listen";
    case ERR_USAGE:
        return "this machine does not have the address (see: ip address); give another one with "
               "--listen";
    case ERR_PERM:
        return "meshd's user may not have the port; give one above 1023 with --listen";
    default:
        return err_text(err);
    }
}

static void say_what_it_can(const struct udp *u, const char *text, const struct log *log) {
    struct udp_caps caps;
    udp_caps(u, &caps);
    log_put(log, LOG_DEBUG, "udp %s: gso %s, gro %s, buffers %d/%d bytes", text,
            caps.gso ? "on" : "off", caps.gro ? "on" : "off", caps.recv_buffer_bytes,
            caps.send_buffer_bytes);
    if (!caps.dont_fragment)
        log_put(
            log, LOG_INFO,
            "udp %s: this system cuts datagrams that are too large, so they stay below %d bytes",
            text, MTU_BASE_BYTES + 1);
    if (caps.buffers_capped)
        log_put(log, LOG_WARN,
                "udp %s: socket buffers are %d/%d bytes instead of %d: fast transfers will lose "
                "packets; raise the sysctls net.core.rmem_max and net.core.wmem_max to %d",
                text, caps.recv_buffer_bytes, caps.send_buffer_bytes, UDP_BUFFER_BYTES,
                UDP_BUFFER_BYTES);
}

int sockets_open(struct sockets *s, uv_loop_t *loop, const struct config *cfg,
                 const struct udp_callbacks *cb, void *ctx, const struct log *log) {
    *s = (struct sockets){0};
    int r = ERR_USAGE;
    for (unsigned i = 0; i < cfg->listen_count; i++) {
        char text[ADDR_TEXT_MAX];
        addr_text(&cfg->listen[i], text);
        r = udp_open(&s->udp[s->count], loop, cfg->udp_portable ? UDP_PORTABLE : UDP_AUTO,
                     &cfg->listen[i], s->count, cb, ctx);
        if (r == ERR_USAGE && cfg->listen_default) {
            log_put(log, LOG_DEBUG, "udp %s: %s", text, explain(r));
            continue;
        }
        if (r != 0) {
            log_put(log, LOG_ERROR, "cannot listen on UDP %s: %s", text, explain(r));
            sockets_close(s);
            return r;
        }
        udp_address(s->udp[s->count], &s->bound[s->count]);
        say_what_it_can(s->udp[s->count], text, log);
        s->count++;
    }
    if (s->count > 0)
        return 0;
    log_put(log, LOG_ERROR,
            "cannot listen on UDP: this machine has neither IPv4 nor IPv6; "
            "give an address with --listen");
    return r;
}

struct udp *sockets_for(const struct sockets *s, const struct train *t) {
    const struct addr *to = hop_addr(&t->to);
    struct udp *second = NULL;
    const int bound = hop_socket(&t->to);
    if (bound >= 0 && (unsigned)bound < s->count)
        return s->udp[bound];
    for (unsigned i = 0; i < s->count; i++) {
        if (s->bound[i].kind != to->kind)
            continue;
        /* From a loopback address only loopback is reached, and the other way round. */
        if (addr_is_unspecified(&s->bound[i]) ||
            addr_is_loopback(&s->bound[i]) == addr_is_loopback(to))
            return s->udp[i];
        second = second ? second : s->udp[i];
    }
    return second;
}

static unsigned number_of(const struct sockets *s, const struct udp *u) {
    unsigned i = 0;
    while (s->udp[i] != u)
        i++;
    return i;
}

static bool is_full(const struct sockets *s, unsigned i) {
    return (s->full >> i & 1) != 0;
}

static void wait_for(struct sockets *s, unsigned i, const struct train *t) {
    struct waiting **at = &s->waiting[i], *w = NULL;
    unsigned before = 0;
    for (; *at; at = &(*at)->next)
        before++;
    if (t->len == t->segment_bytes && before < SOCKETS_WAITING_MAX)
        w = malloc(sizeof *w + t->len);
    if (!w)
        return;
    *w = (struct waiting){.train = *t};
    memcpy(w->data, t->buf, t->len);
    w->train.buf = w->data;
    *at = w;
}

void sockets_send(struct sockets *s, const struct train *t) {
    struct udp *u = sockets_for(s, t);
    if (!u)
        return;
    const unsigned i = number_of(s, u);
    if (is_full(s, i))
        wait_for(s, i, t);
    else if (udp_send(u, t) == ERR_AGAIN)
        s->full |= UINT32_C(1) << i;
}

void sockets_writable(struct sockets *s, uint32_t socket) {
    if (socket >= s->count)
        return;
    s->full &= ~(UINT32_C(1) << socket);
    while (s->waiting[socket] && !is_full(s, socket)) {
        struct waiting *w = s->waiting[socket];
        s->waiting[socket] = w->next;
        if (udp_send(s->udp[socket], &w->train) == ERR_AGAIN)
            s->full |= UINT32_C(1) << socket;
        free(w);
    }
}

uint16_t sockets_mtu_max(const struct sockets *s) {
    bool whole = true;
    for (unsigned i = 0; i < s->count; i++) {
        struct udp_caps caps;
        udp_caps(s->udp[i], &caps);
        whole &= caps.dont_fragment;
    }
    return whole ? MTU_MAX_BYTES : MTU_BASE_BYTES;
}

void sockets_close(struct sockets *s) {
    for (unsigned i = 0; i < s->count; i++) {
        udp_close(s->udp[i]);
        for (struct waiting *w; (w = s->waiting[i]) != NULL; free(w))
            s->waiting[i] = w->next;
    }
    memset(s, 0, sizeof *s);
}
