/* Listening in: initiations of side 0 are kept, and let through or not. */
#include "support_sniff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/wire/packet.h"

enum { S = 1000000 };

const struct addr elsewhere = {.kind = ADDR_IPV4, .port = 6, .ip = {9, 9, 9, 9}};

static bool sniff(struct pair *p, int from, uint8_t *data, size_t len) {
    struct sniffed *f = p->tap_ctx;
    if (from == 0 && data[0] == PACKET_DATA && f->drop_data)
        return false;
    if (from != 0 || len != INITIATION_BYTES || data[0] != PACKET_INITIATION)
        return true;
    memcpy(f->msg, data, len);
    f->count++;
    return !f->swallow;
}

void listen_in(struct pair *p, struct sniffed *f) {
    *f = (struct sniffed){0};
    p->tap = sniff;
    p->tap_ctx = f;
}

bool comes_up(struct pair *p, int side) {
    unsigned before = pair_count(p, side, EP_SESSION_UP);
    assert_int_equal(endpoint_connect(p->ep[side], p->now_us, p->peer[side]), 0);
    pair_run(p, 9 * S, -1, -1);
    return pair_count(p, side, EP_SESSION_UP) > before;
}
