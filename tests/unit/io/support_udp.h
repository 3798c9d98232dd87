/* support_udp.h: two ends of the UDP edge on the loopback, and what each has seen. */
#ifndef MESHD_TESTS_SUPPORT_UDP_H
#define MESHD_TESTS_SUPPORT_UDP_H

#include <uv.h>

#include "net/base/limits.h"
#include "net/io/udp.h"

enum { SEEN_MAX = 4096 };

struct end { /* one socket, and what has come to it */
    struct udp *udp;
    unsigned datagrams, batches, writables, too_bigs;
    size_t bytes, too_big_bytes;
    size_t sizes[SEEN_MAX];
    uint8_t first_byte[SEEN_MAX];
    struct addr from;
    uint32_t local;
    unsigned ecn[4];
};

struct world {
    uv_loop_t loop;
    struct end a, b;
    bool late;
};

/* What make_train fills. */
extern uint8_t train_buf[TRAIN_MAX_BYTES];
extern const struct udp_callbacks end_callbacks; /* their ctx is an end */
struct addr loopback(bool ipv6);
/* Both ends, as sockets 7 and 8, ready to send. What udp_open says. */
int open_world(struct world *w, enum udp_kind kind, bool ipv6);
void close_world(struct world *w);
/* Runs the loop until *what reaches n, for 5 s at most. */
void run_until(struct world *w, const unsigned *what, unsigned n);
/* A train whose segments each begin with their number. */
struct train make_train(struct world *w, uint16_t segment, size_t len);
/* `count` datagrams have come, in order. */
void expect_segments(const struct end *e, unsigned count, size_t segment, size_t last);

#endif
