#include "node/config/config_relay.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto/identity/identity.h"
#include "node/config/config_value.h"
#include "node/config/ini.h"

PRINTF_LIKE(2, 3) static int fail(char *wrong, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(wrong, CONFIG_RELAY_WRONG_MAX, fmt, ap);
    va_end(ap);
    return ERR_FORMAT;
}

#define SHOWN(text) ini_shown(text, INI_SHOWN_CHARS), text
/* With the whole id: what is mistyped may be its end. */
enum { RELAY_SHOWN_CHARS = 120 };
#define RELAY_SHOWN(text) ini_shown(text, RELAY_SHOWN_CHARS), text

/* The next item of a list, its length in *len, 0 at the end. */
static const char *next_item(const char *at, size_t *len) {
    at += strspn(at, " \t,");
    *len = strcspn(at, " \t,");
    return at;
}

static bool is_empty(const char *value) {
    size_t len;
    (void)next_item(value, &len);
    return len == 0;
}

/* ---- relays ---- */
int config_relay_add(struct relay_config *c, const char *text,
                     char wrong[static CONFIG_RELAY_WRONG_MAX]) {
    struct relay_addr a;
    const char *why;
    if (relay_addr_parse(&a, text, &why) != 0)
        return fail(wrong, "'%.*s' is no relay: %s", RELAY_SHOWN(text), why);
    for (unsigned i = 0; i < c->use_count; i++) {
        if (relay_addr_equal(&c->use[i], &a))
            return fail(wrong, "relay '%.*s' is given twice", RELAY_SHOWN(text));
        if (node_id_equal(&c->use[i].id, &a.id)) /* a node has one session with another */
            return fail(wrong,
                        "relay '%.*s' has the id of another one that is given; of one relay give "
                        "one address, or a host name, which may have several",
                        RELAY_SHOWN(text));
    }
    if (c->use_count == RELAYS_USE_MAX)
        return fail(wrong, "more than %d relays; leave some out", RELAYS_USE_MAX);
    c->use[c->use_count++] = a;
    return 0;
}

int config_relay_use(struct relay_config *c, const char *value,
                     char wrong[static CONFIG_RELAY_WRONG_MAX]) {
    char item[INI_LINE_MAX + 2];
    size_t len;
    if (is_empty(value))
        return fail(wrong, "use has no value, and should be " RELAY_ADDR_FORM);
    for (value = next_item(value, &len); len > 0; value = next_item(value + len, &len)) {
        snprintf(item, sizeof item, "%.*s", (int)len, value);
        const int r = config_relay_add(c, item, wrong);
        if (r != 0)
            return r;
    }
    return 0;
}

/* ---- ids ---- */
static int add_id(struct relay_ids *ids, const char *key, const char *text, char *wrong) {
    struct node_id id;
    if (node_id_parse(&id, text) != 0)
        return fail(wrong, "%s: '%.*s' is no node id (mesh1 and 58 letters and digits)", key,
                    SHOWN(text));
    for (unsigned i = 0; i < ids->count; i++)
        if (node_id_equal(&ids->list[i], &id))
            return fail(wrong, "%s: '%.*s' is given twice", key, SHOWN(text));
    if (ids->count == RELAY_IDS_MAX)
        return fail(wrong, "%s: more than %d node ids", key, RELAY_IDS_MAX);
    ids->list[ids->count++] = id;
    return 0;
}

int config_relay_ids(struct relay_ids *ids, const char *key, const char *value,
                     char wrong[static CONFIG_RELAY_WRONG_MAX]) {
    char item[INI_LINE_MAX + 2];
    size_t len;
    if (is_empty(value))
        return fail(wrong, "%s has no value, and should be node ids (mesh1...)", key);
    for (value = next_item(value, &len); len > 0; value = next_item(value + len, &len)) {
        snprintf(item, sizeof item, "%.*s", (int)len, value);
        const int r = add_id(ids, key, item, wrong);
        if (r != 0)
            return r;
    }
    return 0;
}

/* ---- numbers ---- */
int config_relay_count(uint32_t *out, const char *key, const char *value, uint32_t max,
                       char wrong[static CONFIG_RELAY_WRONG_MAX]) {
    const size_t len = strlen(value);
    uint64_t v = 0;
    if (len == 0 || len > 10 || strspn(value, "0123456789") != len || config_size_parse(&v, value))
        v = 0;
    if (v == 0 || v > max)
        return fail(wrong, "%s is '%.*s', and should be a number from 1 to %u", key, SHOWN(value),
                    max);
    *out = (uint32_t)v;
    return 0;
}

int config_relay_rate(uint64_t *out, const char *key, const char *value, bool zero,
                      char wrong[static CONFIG_RELAY_WRONG_MAX]) {
    uint64_t v;
    const int r = config_rate_parse(&v, value);
    if (r == ERR_FULL)
        return fail(wrong, "%s is '%.*s': more than can be counted", key, SHOWN(value));
    if (r != 0)
        return fail(wrong, "%s is '%.*s', and should be bits per second, as 500k, 100M or 1G", key,
                    SHOWN(value));
    if (v == 0 && !zero)
        return fail(wrong,
                    "%s is 0: nothing would be forwarded; to serve nobody, write: serve = no", key);
    *out = v;
    return 0;
}

/* ---- comparing and writing ---- */
bool config_relay_same_use(const struct relay_config *a, const struct relay_config *b) {
    bool same = a->use_count == b->use_count;
    for (unsigned i = 0; same && i < a->use_count; i++)
        same = relay_addr_equal(&a->use[i], &b->use[i]);
    return same;
}

bool config_relay_same_ids(const struct relay_ids *a, const struct relay_ids *b) {
    bool same = a->count == b->count;
    for (unsigned i = 0; same && i < a->count; i++)
        same = node_id_equal(&a->list[i], &b->list[i]);
    return same;
}

PRINTF_LIKE(3, 4) static void put(char *out, size_t *n, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    const int r = vsnprintf(out + *n, CONFIG_RELAY_OUT_MAX - *n, fmt, ap);
    va_end(ap);
    assert(r >= 0 && (size_t)r < CONFIG_RELAY_OUT_MAX - *n); /* every part has a bound */
    *n += (size_t)r;
}

static void put_ids(char *out, size_t *n, const char *key, const struct relay_ids *ids) {
    char text[NODE_ID_TEXT_CHARS + 1];
    for (unsigned i = 0; i < ids->count; i++) {
        node_id_text(&ids->list[i], text);
        put(out, n, "%s = %s\n", key, text);
    }
}

void config_relay_write(const struct relay_config *c, char out[static CONFIG_RELAY_OUT_MAX]) {
    char text[RELAY_ADDR_TEXT_MAX + 1], rate[32];
    size_t n = 0;
    put(out, &n, "[relay]\n");
    for (unsigned i = 0; i < c->use_count; i++) {
        relay_addr_text(&c->use[i], text);
        put(out, &n, "use = %s\n", text);
    }
    put(out, &n, "serve = %s\n", c->serve ? "yes" : "no");
    config_rate_text(c->capacity_bps, rate);
    put(out, &n, "capacity = %s\n", rate);
    put(out, &n, "flows_per_node = %u\n", c->flows_per_node);
    put(out, &n, "reservations_per_prefix = %u\n", c->reservations_per_prefix);
    config_rate_text(c->rate_per_node_bps, rate);
    put(out, &n, "rate_per_node = %s\n", rate);
    config_size_text(c->quota_day_bytes, rate);
    put(out, &n, "quota_per_day = %s\n", rate);
    put_ids(out, &n, "allow", &c->allow);
    put_ids(out, &n, "block", &c->block);
}
