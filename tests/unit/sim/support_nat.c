/* NATs of the tests, all with the same addresses and one seed. */
#include "support_nat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const struct addr nat_external[2] = {{.kind = ADDR_IPV4, .ip = {198, 18, 0, 1}},
                                     {.kind = ADDR_IPV4, .ip = {198, 18, 0, 2}}};

struct nat *nat_of(const char *text) {
    static struct draw draw;
    struct nat_config c;
    const char *wrong = nat_config_read(&c, text);
    if (wrong)
        fail_msg("%s: %s", text, wrong);
    draw_init(&draw, 5);
    struct nat *n = nat_new(&c, &draw, 1);
    nat_set_external(n, nat_external, c.pool > 1 ? 2 : 1);
    return n;
}

struct addr nat_inside(uint8_t host, uint16_t port) {
    return (struct addr){.kind = ADDR_IPV4, .port = port, .ip = {192, 168, 1, host}};
}

struct addr nat_outside(uint8_t host, uint16_t port) {
    return (struct addr){.kind = ADDR_IPV4, .port = port, .ip = {203, 0, 113, host}};
}
