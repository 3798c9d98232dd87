/* config_relay.h: section [relay] of meshd.conf: which relays are used, and what is done for
 * others. Pure. Each function takes a value as the file has it, and on ERR_FORMAT says in a
 * sentence what is wrong with it and what is expected.
 */
#ifndef MESHD_NODE_CONFIG_CONFIG_RELAY_H
#define MESHD_NODE_CONFIG_CONFIG_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "node/base/relay_config.h"

enum {
    CONFIG_RELAY_WRONG_MAX = 320,
    /* What config_relay_write writes at most. */
    CONFIG_RELAY_OUT_MAX = RELAYS_USE_MAX * (RELAY_ADDR_TEXT_MAX + 8) +
                           2 * RELAY_IDS_MAX * (NODE_ID_TEXT_CHARS + 10) + 512,
};

/* One relay more to use, without blanks around it. */
int config_relay_add(struct relay_config *c, const char *text,
                     char wrong[static CONFIG_RELAY_WRONG_MAX]) MUST_USE;
/* Several, separated by commas or blanks; at least one. */
int config_relay_use(struct relay_config *c, const char *value,
                     char wrong[static CONFIG_RELAY_WRONG_MAX]) MUST_USE;
/* Node ids, likewise. `key` is what the list is called. */
int config_relay_ids(struct relay_ids *ids, const char *key, const char *value,
                     char wrong[static CONFIG_RELAY_WRONG_MAX]) MUST_USE;
/* From 1 to `max`. */
int config_relay_count(uint32_t *out, const char *key, const char *value, uint32_t max,
                       char wrong[static CONFIG_RELAY_WRONG_MAX]) MUST_USE;
/* Bits per second. `zero`: 0 is allowed. */
int config_relay_rate(uint64_t *out, const char *key, const char *value, bool zero,
                      char wrong[static CONFIG_RELAY_WRONG_MAX]) MUST_USE;

bool config_relay_same_use(const struct relay_config *a, const struct relay_config *b);
bool config_relay_same_ids(const struct relay_ids *a, const struct relay_ids *b);

/* The section in the file's own form. */
void config_relay_write(const struct relay_config *c, char out[static CONFIG_RELAY_OUT_MAX]);

#endif
