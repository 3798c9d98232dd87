/* Which socket a train leaves by, and what happens while one of them is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/base/limits.h"
#include "net/io/udp_impl.h"
#include "node/daemon/sockets.h"

/* Sockets without a kernel: they take trains or keep one. */
static struct {
    struct udp udp;
    bool takes;
    unsigned sent, closed;
    uint8_t last; /* the first byte of the newest train */
} fake[2];

static int fake_send(struct udp *u, const struct train *t) {
    const unsigned i = u->local;
    fake[i].sent++;
    fake[i].last = t->buf[0];
    return fake[i].takes ? 0 : ERR_AGAIN;
}
static void fake_close(struct udp *u) {
    fake[u->local].closed++;
}
static const struct udp_ops ops = {fake_send, fake_close};

static struct sockets open_two(void) {
    struct sockets s = {.count = 2};
    memset(fake, 0, sizeof fake);
    for (unsigned i = 0; i < 2; i++) {
        s.bound[i] = (struct addr){.kind = i == 0 ? ADDR_IPV4 : ADDR_IPV6, .port = 5};
        fake[i].udp = (struct udp){.ops = &ops, .local = i, .bound = s.bound[i]};
        fake[i].udp.caps.dont_fragment = true;
        fake[i].takes = true;
        s.udp[i] = &fake[i].udp;
    }
    return s;
}

static void put(struct sockets *s, uint32_t local, uint8_t kind, uint8_t byte, size_t len) {
    uint8_t buf[4000] = {byte};
    const struct addr to = {.kind = kind, .port = 9, .ip = {192, 0, 2, 1}};
    const struct train t = {
        .buf = buf, .len = len, .segment_bytes = 1000, .to = hop_udp(&to, local)};
    struct train one = t;
    if (len < 1000)
        one.segment_bytes = (uint16_t)len;
    sockets_send(s, &one);
}

static void a_full_socket_holds_up_only_its_own(void **state) {
    (void)state;
    struct sockets s = open_two();
    fake[0].takes = false;
    put(&s, 0 | 77u << LOCAL_SOCKET_BITS, ADDR_IPV4, 1, 3000);
    assert_int_equal(s.full, 1);
    put(&s, 1, ADDR_IPV6, 2, 3000);
    put(&s, LOCAL_ANY, ADDR_IPV6, 3, 300);
    assert_int_equal(fake[1].sent, 2);
    for (uint8_t i = 0; i < 2 * SOCKETS_WAITING_MAX; i++)
        put(&s, LOCAL_ANY, ADDR_IPV4, (uint8_t)(10 + i), 300);
    assert_int_equal(fake[0].sent, 1); /* it keeps one: another one would be one too many */
    sockets_writable(&s, 0);           /* takes one more, and is full again */
    assert_int_equal(s.full, 1);
    assert_int_equal(fake[0].sent, 2);
    assert_int_equal(fake[0].last, 10);
    fake[0].takes = true;
    sockets_writable(&s, 0);
    assert_int_equal(s.full, 0);
    assert_int_equal(fake[0].sent, 1 + SOCKETS_WAITING_MAX);
    assert_int_equal(fake[0].last,
                     10 + SOCKETS_WAITING_MAX - 1); /* in order; what came later is lost */
    fake[0].takes = false;
    put(&s, 0, ADDR_IPV4, 1, 300);
    put(&s, LOCAL_ANY, ADDR_IPV4, 1, 300);
    sockets_close(&s); /* with one waiting */
    assert_int_equal(fake[0].closed + fake[1].closed, 2);
}

static void one_socket_that_cuts_datagrams_keeps_them_small(void **state) {
    (void)state;
    struct sockets s = open_two();
    assert_int_equal(sockets_mtu_max(&s), MTU_MAX_BYTES);
    fake[1].udp.caps.dont_fragment = false;
    assert_int_equal(sockets_mtu_max(&s), MTU_BASE_BYTES);
    sockets_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_socket_holds_up_only_its_own),
        cmocka_unit_test(one_socket_that_cuts_datagrams_keeps_them_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
