/* support_relay_addr.c: see support_relay_addr.h. */
#include "support_relay_addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct relay_addr relay(const char *place, uint8_t id) {
    struct relay_addr a = {.port = 0};
    struct node_id node;
    char text[RELAY_ADDR_TEXT_MAX + 1], who[NODE_ID_TEXT_CHARS + 1];
    const char *wrong;
    memset(node.bytes, id, sizeof node.bytes);
    node_id_text(&node, who);
    snprintf(text, sizeof text, "%s#%s", place, who);
    assert_int_equal(relay_addr_parse(&a, text, &wrong), 0);
    return a;
}
