#include "node/daemon/sockets.h"

#include <string.h>

static const char *explain(int err) {
    switch (err) {
    case ERR_EXISTS:
        return "the port is in use; give another one with --listen";
    case ERR_USAGE:
        return "this machine does not have the address";
    case ERR_PERM:
        return "not allowed to use the port";
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
            log_put(log, LOG_ERROR, "udp %s: %s", text, explain(r));
            sockets_close(s);
            return r;
        }
        udp_address(s->udp[s->count], &s->bound[s->count]);
        say_what_it_can(s->udp[s->count], text, log);
        s->count++;
    }
    if (s->count > 0)
        return 0;
    log_put(log, LOG_ERROR, "udp: nothing to listen on");
    return r;
}

struct udp *sockets_for(const struct sockets *s, const struct train *t) {
    struct udp *second = NULL;
    if (t->local < s->count)
        return s->udp[t->local];
    for (unsigned i = 0; i < s->count; i++) {
        if (s->bound[i].kind != t->to.kind)
            continue;
        /* From a loopback address only loopback is reached, and the other way round. */
        if (addr_is_unspecified(&s->bound[i]) ||
            addr_is_loopback(&s->bound[i]) == addr_is_loopback(&t->to))
            return s->udp[i];
        second = second ? second : s->udp[i];
    }
    return second;
}

void sockets_close(struct sockets *s) {
    for (unsigned i = 0; i < s->count; i++)
        udp_close(s->udp[i]);
    memset(s, 0, sizeof *s);
}
