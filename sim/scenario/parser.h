/* parser.h: reads the words of one statement of a scenario in turn, and says what is wrong with
 * them and where. What the statements mean is scenario_*.c's business.
 */
#ifndef MESHD_SIM_SCENARIO_PARSER_H
#define MESHD_SIM_SCENARIO_PARSER_H

#include "crypto/base/err.h"
#include "sim/scenario/lexer.h"
#include "sim/text/quantity.h"

struct scenario;

struct parser {
    struct lexer lexer;
    struct scenario *sc;
    size_t next; /* the word to read */
};

/* All give false once there is a problem. */
bool parse_fail(struct parser *p, struct place at, const char *format, ...) PRINTF_LIKE(3, 4);
const struct word *parse_word(struct parser *p, const char *what); /* NULL at the end */
/* The next word, left where it is; NULL at the end. */
const struct word *parse_peek(const struct parser *p);
bool parse_end(struct parser *p);
/* A number for the statement from this word on: the same wherever it stands, so that taking another
 * statement away leaves its draws as they were. */
uint64_t parse_id(const struct parser *p, const struct word *from);
bool parse_quantity(struct parser *p, enum quantity q, const char *what, uint64_t *out);
bool parse_keyword(struct parser *p, const char *keyword);
/* If the word is "key=...", what follows; else NULL. */
const char *parse_key(const struct word *w, const char *key);
/* The value of such a word as a quantity. */
bool parse_value(struct parser *p, const struct word *w, const char *value, enum quantity q,
                 uint64_t *out);

/* An array that holds `count` gets room for one more, zeroed. Aborts when out of memory. */
void *scenario_room(void *items, uint32_t count, uint32_t *cap, size_t item_bytes);

#endif
