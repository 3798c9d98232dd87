/* pipes.h: byte pipes between hosts: simulated TCP connections (sim/pipe/pipe.h) whose segments
 * take the same way as datagrams do, over the same links, through the same walls, cuts and clogs,
 * and through the TCP side of the same NATs. They are of the host, not of its node: what runs on
 * the host beside it, or a carrier that the node will have.
 *
 * Segments are in the trace; they are in no capture, no count of datagrams and no duty, which are
 * about the node's. Only after time 0. A pipe has a number, which is not used again.
 */
#ifndef MESHD_SIM_WORLD_PIPES_H
#define MESHD_SIM_WORLD_PIPES_H

#include "sim/pipe/pipe.h"
#include "sim/world/flight.h"

struct pipe_end { /* of one connection, at one host */
    struct pipe *pipe;
    uint32_t host;
    struct addr local, remote;
    bool incoming, taken; /* who listens has got it */
    uint64_t wake_ns;     /* of the event that is in the heap; UINT64_MAX: none */
};

struct pipe_listener {
    uint32_t host;
    uint16_t port;
};

struct pipes {
    struct flight *flight;
    struct pipe_end *ends;
    uint32_t count, cap;
    struct pipe_listener *listeners;
    uint32_t listener_count, listener_cap;
    uint16_t next_port; /* ephemeral */
};

void pipes_init(struct pipes *ps, struct flight *f);
void pipes_clear(struct pipes *ps);

/* ---- for whoever uses them ---- */

/* Where the host itself is reached within its site, IPv4 before IPv6. */
struct addr pipes_address(const struct pipes *ps, uint32_t host, uint16_t port);
/* The router of its site forwards a port to it: which one the world sees. False: no router does, or
 * it has no room. */
bool pipes_forward(struct pipes *ps, uint32_t host, uint16_t port, struct addr *outside);
/* ERR_EXISTS. */
int pipes_listen(struct pipes *ps, uint32_t host, uint16_t port) MUST_USE;
/* The next connection to this port that is open and was not given yet. */
bool pipes_accept(struct pipes *ps, uint32_t host, uint16_t port, uint32_t *pipe);
/* ERR_UNSUPPORTED: it has no address of this kind. Whether anybody answers pipes_info tells. */
int pipes_connect(struct pipes *ps, uint32_t host, const struct addr *to, uint32_t *pipe) MUST_USE;
/* As in pipe.h; what is to be sent is sent. */
size_t pipes_write(struct pipes *ps, uint32_t pipe, const void *bytes, size_t len);
size_t pipes_read(struct pipes *ps, uint32_t pipe, void *out, size_t len);
void pipes_shut(struct pipes *ps, uint32_t pipe);
void pipes_reset(struct pipes *ps, uint32_t pipe);
void pipes_info(const struct pipes *ps, uint32_t pipe, struct pipe_info *out);

/* ---- for the world's loop ---- */

/* A segment has come to its host; it is taken over. */
void pipes_receive(struct pipes *ps, struct host *h, struct packet *p);
void pipes_wake(struct pipes *ps, const struct event *e); /* EVENT_PIPE */

#endif
