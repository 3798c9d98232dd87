/* scenario_int.h: private to scenario.c (statements) and scenario_act.c (nodes and actions). */
#ifndef MESHD_SIM_SCENARIO_INT_H
#define MESHD_SIM_SCENARIO_INT_H

#include "sim/quantity.h"
#include "sim/scenario.h"

struct parser {
    struct lexer lexer;
    struct scenario *sc;
    size_t next; /* the word to read */
};

/* All give false once there is a problem. */
bool parse_fail(struct parser *p, struct place at, const char *format, ...) PRINTF_LIKE(3, 4);
const struct word *parse_word(struct parser *p, const char *what); /* NULL at the end */
bool parse_end(struct parser *p);
bool parse_quantity(struct parser *p, enum quantity q, const char *what, uint64_t *out);
bool parse_keyword(struct parser *p, const char *keyword);

struct action *scenario_add_action(struct scenario *sc);
bool parse_node(struct parser *p);
bool parse_action(struct parser *p, const struct word *verb, struct action *a);

#endif
