#include "node/config/config.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net/base/limits.h"
#include "node/config/config_value.h"
#include "node/config/ini.h"

static const struct config_word log_words[] = {
    {"error", LOG_ERROR}, {"warn", LOG_WARN}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}, {0}};
static const struct config_word accept_words[] = {
    {"ask", ACCEPT_ASK}, {"contacts", ACCEPT_CONTACTS}, {0}};
static const struct config_word cc_words[] = {
    {"cubic", CC_CUBIC}, {"reno", CC_RENO}, {"bbr", CC_BBR}, {0}};
static const struct config_word aead_words[] = {{"auto", AEAD_AUTO},
                                                {"libsodium", AEAD_LIBSODIUM},
                                                {"libcrypto", AEAD_LIBCRYPTO},
                                                {"ipsec-mb", AEAD_IPSEC_MB},
                                                {0}};
static const struct config_word yes_words[] = {{"yes", true}, {"no", false}, {0}};
static const struct config_word path_words[] = {
    {"auto", PATH_AUTO}, {"relay_only", PATH_RELAY_ONLY}, {"direct_only", PATH_DIRECT_ONLY}, {0}};
static const struct config_word udp_words[] = {{"auto", false}, {"portable", true}, {0}};

enum key {
    KEY_LISTEN,
    KEY_NETWORK,
    KEY_LOG,
    KEY_DOWNLOAD_DIR,
    KEY_ACCEPT,
    KEY_ACCEPT_MAX,
    KEY_QUOTA,
    KEY_QUOTA_ALL,
    KEY_CONGESTION,
    KEY_AEAD,
    KEY_UDP,
    KEY_RELAY_USE,
    KEY_RELAY_SERVE,
    KEY_RELAY_CAPACITY,
    KEY_RELAY_FLOWS,
    KEY_RELAY_PREFIX,
    KEY_RELAY_RATE,
    KEY_RELAY_QUOTA,
    KEY_RELAY_ALLOW,
    KEY_RELAY_BLOCK,
    KEY_PATH,
    KEY_SOCKET,
    KEY_COUNT
};

static const struct {
    const char *section, *name;
    const struct config_word *words; /* NULL: free text */
    bool many;                       /* may stand on several lines */
} keys[KEY_COUNT] = {
    [KEY_LISTEN] = {"node", "listen", .many = true},
    [KEY_NETWORK] = {"node", "network", NULL},
    [KEY_LOG] = {"node", "log", log_words},
    [KEY_DOWNLOAD_DIR] = {"files", "download_dir", NULL},
    [KEY_ACCEPT] = {"files", "accept", accept_words},
    [KEY_ACCEPT_MAX] = {"files", "accept_max", NULL},
    [KEY_QUOTA] = {"messages", "quota", NULL},
    [KEY_QUOTA_ALL] = {"messages", "quota_all", NULL},
    [KEY_CONGESTION] = {"transport", "congestion", cc_words},
    [KEY_AEAD] = {"transport", "aead", aead_words},
    [KEY_UDP] = {"transport", "udp", udp_words},
    [KEY_RELAY_USE] = {"relay", "use", .many = true},
    [KEY_RELAY_SERVE] = {"relay", "serve", yes_words},
    [KEY_RELAY_CAPACITY] = {"relay", "capacity", NULL},
    [KEY_RELAY_FLOWS] = {"relay", "flows_per_node", NULL},
    [KEY_RELAY_PREFIX] = {"relay", "reservations_per_prefix", NULL},
    [KEY_RELAY_RATE] = {"relay", "rate_per_node", NULL},
    [KEY_RELAY_QUOTA] = {"relay", "quota_per_day", NULL},
    [KEY_RELAY_ALLOW] = {"relay", "allow", .many = true},
    [KEY_RELAY_BLOCK] = {"relay", "block", .many = true},
    [KEY_PATH] = {"path", "policy", path_words},
    [KEY_SOCKET] = {"control", "socket", NULL},
};

void config_init(struct config *c) {
    *c = (struct config){
        .listen = {{.kind = ADDR_IPV4, .port = CONFIG_PORT},
                   {.kind = ADDR_IPV6, .port = CONFIG_PORT}},
        .listen_count = 2,
        .listen_default = true,
        .log = LOG_INFO,
        .accept = ACCEPT_ASK,
        .quota_bytes = MESSAGES_CONTACT_BYTES_MAX,
        .quota_all_bytes = MESSAGES_BYTES_MAX,
        .cc = CC_BBR,
        .aead = AEAD_AUTO,
        .path = PATH_AUTO,
    };
    relay_config_init(&c->relay);
}

void config_clear(struct config *c) {
    sodium_memzero(c, sizeof *c);
}

/* ---- values ---- */

int config_log_level(enum log_level *out, const char *text) {
    int v;
    if (config_word_value(log_words, text, &v) != 0)
        return ERR_FORMAT;
    *out = (enum log_level)v;
    return 0;
}

const char *config_log_level_name(enum log_level l) {
    return config_word_text(log_words, (int)l);
}

int config_listen(struct config *c, const char *text) {
    struct addr a;
    if (addr_parse(&a, text) != 0)
        return ERR_FORMAT;
    if (c->listen_default)
        c->listen_count = 0;
    for (unsigned i = 0; i < c->listen_count; i++)
        if (a.port != 0 && addr_equal(&c->listen[i], &a))
            return ERR_EXISTS;
    if (c->listen_count == CONFIG_LISTEN_MAX)
        return ERR_FULL;
    c->listen_default = false;
    c->listen[c->listen_count++] = a;
    return 0;
}

/* ---- parsing ---- */

struct parse {
    struct config c;           /* committed when all went well */
    unsigned given[KEY_COUNT]; /* the line, from 1 */
    const char *section;       /* of keys[]; NULL: none yet */
    unsigned line;
    bool commented; /* it has a comment behind a value */
    struct config_error *e;
};

PRINTF_LIKE(2, 3) static int fail(struct parse *p, const char *fmt, ...) {
    p->e->line = p->line;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->e->text, sizeof p->e->text, fmt, ap);
    va_end(ap);
    return ERR_FORMAT;
}

/* A value as it is shown in a complaint: its first characters. */
#define SHOWN(text) ini_shown(text, INI_SHOWN_CHARS), text

static int take_text(struct parse *p, char *out, size_t cap, const char *value) {
    size_t n = strlen(value);
    if (p->commented) /* which of the two was meant cannot be known: a secret would be cut */
        return fail(p, "a ';' behind a blank begins a comment, which may not follow this value");
    if (n >= cap)
        return fail(p, "the value is too long: %zu bytes, and at most %zu are allowed", n, cap - 1);
    memcpy(out, value, n + 1);
    return 0;
}

static int take_path(struct parse *p, enum key k, char *out, size_t cap, const char *value) {
    int r = take_text(p, out, cap, value);
    const char *wrong = r == 0 ? config_path_wrong(value) : NULL;
    return wrong ? fail(p, "%s is '%.*s': %s", keys[k].name, SHOWN(value), wrong) : r;
}

static int take_listen(struct parse *p, const char *value) {
    static const char form[] = "an address and port (192.0.2.1:7557, [::]:7557)";
    char item[ADDR_TEXT_MAX];
    if (!value[strspn(value, " \t,")])
        return fail(p, "listen has no value, and should be %s", form);
    for (;;) {
        value += strspn(value, " \t,");
        size_t n = strcspn(value, " \t,");
        if (n == 0)
            return 0;
        snprintf(item, sizeof item, "%.*s", (int)n, value);
        int r = n < sizeof item ? config_listen(&p->c, item) : ERR_FORMAT;
        if (r == ERR_FULL)
            return fail(p, "more than %d addresses to listen on", CONFIG_LISTEN_MAX);
        if (r == ERR_EXISTS)
            return fail(p, "'%s' is given twice", item);
        if (r != 0)
            return fail(p, "'%.*s' is not %s", SHOWN(item), form);
        value += n;
    }
}

static int take_size(struct parse *p, enum key k, const char *value, uint64_t *out) {
    int r = config_size_parse(out, value);
    if (r == ERR_FULL)
        return fail(p, "%s is '%.*s': more than can be counted (at most 16777215T)", keys[k].name,
                    SHOWN(value));
    if (r != 0)
        return fail(p, "%s is '%.*s', and should be a number of bytes, as 500M", keys[k].name,
                    SHOWN(value));
    return 0;
}

/* A message that no empty history has room for would be sent again for ever. */
static int take_quota(struct parse *p, enum key k, const char *value, uint64_t *out) {
    int r = take_size(p, k, value, out);
    if (r == 0 && *out > 0 && *out < MESSAGE_MAX_BYTES + MESSAGE_OVERHEAD_BYTES)
        return fail(p, "%s is '%.*s': one message may take %d bytes", keys[k].name, SHOWN(value),
                    MESSAGE_MAX_BYTES + MESSAGE_OVERHEAD_BYTES);
    return r;
}

static int take_word(struct parse *p, enum key k, const char *value, int *out) {
    if (config_word_value(keys[k].words, value, out) == 0)
        return 0;
    char list[128] = "";
    for (const struct config_word *w = keys[k].words; w->text; w++) {
        size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s", n > 0 ? ", " : "", w->text);
    }
    return fail(p, "%s is '%.*s', and may be: %s", keys[k].name, SHOWN(value), list);
}

static int take_relay(struct parse *p, enum key k, const char *value) {
    struct relay_config *r = &p->c.relay;
    char wrong[CONFIG_RELAY_WRONG_MAX];
    const char *name = keys[k].name;
    int err = 0;
    if (k == KEY_RELAY_USE)
        err = config_relay_use(r, value, wrong);
    else if (k == KEY_RELAY_CAPACITY)
        err = config_relay_rate(&r->capacity_bps, name, value, false, wrong);
    else if (k == KEY_RELAY_RATE)
        err = config_relay_rate(&r->rate_per_node_bps, name, value, true, wrong);
    else if (k == KEY_RELAY_FLOWS)
        err = config_relay_count(&r->flows_per_node, name, value, RELAY_FLOWS_SET_MAX, wrong);
    else if (k == KEY_RELAY_PREFIX)
        err = config_relay_count(&r->reservations_per_prefix, name, value, RELAY_PREFIX_MAX, wrong);
    else
        err = config_relay_ids(k == KEY_RELAY_ALLOW ? &r->allow : &r->block, name, value, wrong);
    return err ? fail(p, "%s", wrong) : 0;
}

static int take(struct parse *p, enum key k, const char *value) {
    int v = 0;
    if (keys[k].words && take_word(p, k, value, &v) != 0)
        return ERR_FORMAT;
    switch (k) {
    case KEY_LISTEN:
        return take_listen(p, value);
    case KEY_NETWORK:
        return take_text(p, p->c.network, sizeof p->c.network, value);
    case KEY_LOG:
        p->c.log = (enum log_level)v;
        return 0;
    case KEY_DOWNLOAD_DIR:
        return take_path(p, k, p->c.download_dir, sizeof p->c.download_dir, value);
    case KEY_ACCEPT:
        p->c.accept = (enum accept_rule)v;
        return 0;
    case KEY_ACCEPT_MAX:
        return take_size(p, k, value, &p->c.accept_max_bytes);
    case KEY_QUOTA:
        return take_quota(p, k, value, &p->c.quota_bytes);
    case KEY_QUOTA_ALL:
        return take_quota(p, k, value, &p->c.quota_all_bytes);
    case KEY_CONGESTION:
        p->c.cc = (enum cc_kind)v;
        return 0;
    case KEY_AEAD:
        p->c.aead = (enum aead_provider)v;
        return 0;
    case KEY_UDP:
        p->c.udp_portable = v != 0;
        return 0;
    case KEY_RELAY_SERVE:
        p->c.relay.serve = v != 0;
        return 0;
    case KEY_RELAY_QUOTA:
        return take_size(p, k, value, &p->c.relay.quota_day_bytes);
    case KEY_RELAY_USE:
    case KEY_RELAY_CAPACITY:
    case KEY_RELAY_FLOWS:
    case KEY_RELAY_PREFIX:
    case KEY_RELAY_RATE:
    case KEY_RELAY_ALLOW:
    case KEY_RELAY_BLOCK:
        return take_relay(p, k, value);
    case KEY_PATH:
        p->c.path = (enum path_policy)v;
        return 0;
    case KEY_SOCKET:
        return take_path(p, k, p->c.socket, sizeof p->c.socket, value);
    case KEY_COUNT:
        break;
    }
    return ERR_FORMAT;
}

/* "node, files, ...", or the keys of one section. */
static void list_names(char *out, size_t cap, const char *section) {
    const char *last = "";
    size_t n = 0;
    out[0] = '\0';
    for (unsigned k = 0; k < KEY_COUNT; k++) {
        const char *name = section ? keys[k].name : keys[k].section;
        if (section ? strcmp(keys[k].section, section) != 0 : strcmp(name, last) == 0)
            continue;
        int put = snprintf(out + n, cap - n, "%s%s", n > 0 ? ", " : "", name);
        n += (size_t)put < cap - n ? (size_t)put : cap - n - 1;
        last = name;
    }
}

static int on_section(struct parse *p, const char *name) {
    char list[128];
    for (unsigned k = 0; k < KEY_COUNT; k++)
        if (strcmp(keys[k].section, name) == 0) {
            p->section = keys[k].section;
            return 0;
        }
    list_names(list, sizeof list, NULL);
    return fail(p, "there is no section [%.*s]; there are: %s", SHOWN(name), list);
}

static int on_key(struct parse *p, const char *name, const char *value) {
    char list[128];
    const char *home = NULL; /* a section that has such a key */
    for (unsigned k = 0; k < KEY_COUNT; k++) {
        if (strcmp(keys[k].name, name) != 0)
            continue;
        home = keys[k].section;
        if (!p->section || strcmp(home, p->section) != 0)
            continue;
        if (p->given[k] && !keys[k].many)
            return fail(p, "%s is given twice; it is on line %u already", name, p->given[k]);
        p->given[k] = p->line;
        return take(p, (enum key)k, value);
    }
    if (!p->section)
        return fail(p, "'%.*s' stands before any section; put it below [%s]", SHOWN(name),
                    home ? home : keys[0].section);
    if (home)
        return fail(p, "section [%s] has no '%s', which belongs below [%s]", p->section, name,
                    home);
    list_names(list, sizeof list, p->section);
    return fail(p, "section [%s] has no '%.*s'; it has: %s", p->section, SHOWN(name), list);
}

static int on_line(struct parse *p, char *text, size_t len) {
    struct ini_line line;
    char wrong[INI_WRONG_MAX];
    p->line++;
    if (ini_line(&line, text, len, wrong) != 0)
        return fail(p, "%s", wrong);
    p->commented = line.commented;
    switch (line.kind) {
    case INI_NOTHING:
        return 0;
    case INI_SECTION:
        return on_section(p, line.name);
    case INI_KEY:
        return on_key(p, line.name, line.value);
    }
    return ERR_FORMAT;
}

/* With a byte order mark, or what looks like one of UTF-16, in the first line. */
static int parse_lines(struct parse *p, const char *text, size_t len) {
    char copy[INI_LINE_MAX + 2]; /* a carriage return and a NUL more */
    int r = 0;
    for (size_t at = ini_bom(text, len); r == 0 && at < len;) {
        const char *nl = memchr(text + at, '\n', len - at);
        size_t n = nl ? (size_t)(nl - (text + at)) : len - at;
        if (n < sizeof copy) {
            memcpy(copy, text + at, n);
            r = on_line(p, copy, n);
        } else {
            p->line++;
            r = fail(p, "the line is too long: %zu bytes, and at most %d are allowed", n,
                     INI_LINE_MAX);
        }
        at += n + (nl != NULL);
    }
    sodium_memzero(copy, sizeof copy);
    return r;
}

int config_parse(struct config *c, const char *text, size_t len, struct config_error *e) {
    struct parse p = {.c = *c, .e = e};
    *e = (struct config_error){0};
    int r = len > CONFIG_TEXT_MAX
                ? fail(&p, "the file is too large (at most %d bytes)", CONFIG_TEXT_MAX)
                : parse_lines(&p, text, len);
    if (r == 0)
        *c = p.c;
    sodium_memzero(&p.c, sizeof p.c);
    return r;
}

/* ---- writing ---- */

PRINTF_LIKE(3, 4) static void put(char *out, size_t *n, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int r = vsnprintf(out + *n, CONFIG_OUT_MAX - *n, fmt, ap);
    va_end(ap);
    assert(r >= 0 && (size_t)r < CONFIG_OUT_MAX - *n); /* every part has a bound */
    *n += (size_t)r;
}

void config_write(const struct config *c, char out[static CONFIG_OUT_MAX]) {
    size_t n = 0;
    char text[ADDR_TEXT_MAX], size[32];
    put(out, &n, "[node]\n");
    for (unsigned i = 0; i < c->listen_count; i++) {
        addr_text(&c->listen[i], text);
        put(out, &n, "listen = %s\n", text);
    }
    put(out, &n, c->network[0] ? "; network is set, and not shown\n" : "network =\n");
    put(out, &n, "log = %s\n", config_word_text(log_words, (int)c->log));
    put(out, &n, "\n[files]\n");
    if (c->download_dir[0])
        put(out, &n, "download_dir = %s\n", c->download_dir);
    put(out, &n, "accept = %s\n", config_word_text(accept_words, (int)c->accept));
    config_size_text(c->accept_max_bytes, size);
    put(out, &n, "accept_max = %s\n", size);
    config_size_text(c->quota_bytes, size);
    put(out, &n, "\n[messages]\nquota = %s\n", size);
    config_size_text(c->quota_all_bytes, size);
    put(out, &n, "quota_all = %s\n", size);
    put(out, &n, "\n[transport]\ncongestion = %s\n", config_word_text(cc_words, (int)c->cc));
    put(out, &n, "aead = %s\n", config_word_text(aead_words, (int)c->aead));
    put(out, &n, "udp = %s\n", config_word_text(udp_words, c->udp_portable));
    char relay[CONFIG_RELAY_OUT_MAX];
    config_relay_write(&c->relay, relay);
    put(out, &n, "\n%s", relay);
    put(out, &n, "\n[path]\npolicy = %s\n", config_word_text(path_words, (int)c->path));
    put(out, &n, "\n[control]\n");
    if (c->socket[0])
        put(out, &n, "socket = %s\n", c->socket);
}

void config_network_id(const struct config *c, uint8_t out[static 32]) {
    static const char label[] = "meshd network v1";
    memset(out, 0, 32);
    if (!c->network[0])
        return;
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, 32);
    crypto_generichash_update(&h, (const unsigned char *)label, sizeof label - 1);
    crypto_generichash_update(&h, (const unsigned char *)c->network, strlen(c->network));
    crypto_generichash_final(&h, out, 32);
    sodium_memzero(&h, sizeof h);
}
