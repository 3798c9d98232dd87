/* json.h: what --json prints. */
#ifndef MESHD_CLI_SCREEN_JSON_H
#define MESHD_CLI_SCREEN_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "node/api/rpc/control_proto.h"

enum {
    PRINT_SCHEMA = 1, /* "schema" in every object; docs/CONTROL.md, "Versions" */
    /* Of a number with a fraction: 0.000461, not 0.00046099999999999998. */
    PRINT_REAL_DIGITS = 15,
};

/* A JSON string in which bytes that are not UTF-8 have become U+FFFD. */
json_t *json_text(const char *s, size_t len);
json_t *json_from(const msgpack_object *o);
/* One object on one line of standard output, with "schema" added, in ASCII. Gives `o` back to
 * jansson. */
void print_json(json_t *o);

#endif
