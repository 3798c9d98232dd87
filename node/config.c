#include "node/config.h"

#include <assert.h>
#include <ini.h>
#include <limits.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/limits.h"

struct word { /* one value of a closed list */
    const char *text;
    int value;
};

static const struct word log_words[] = {
    {"error", LOG_ERROR}, {"warn", LOG_WARN}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}, {0}};
static const struct word accept_words[] = {{"ask", ACCEPT_ASK}, {"contacts", ACCEPT_CONTACTS}, {0}};
static const struct word cc_words[] = {
    {"cubic", CC_CUBIC}, {"reno", CC_RENO}, {"bbr", CC_BBR}, {0}};
static const struct word aead_words[] = {{"auto", AEAD_AUTO},
                                         {"libsodium", AEAD_LIBSODIUM},
                                         {"libcrypto", AEAD_LIBCRYPTO},
                                         {"ipsec-mb", AEAD_IPSEC_MB},
                                         {0}};
static const struct word udp_words[] = {{"auto", false}, {"portable", true}, {0}};

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
    KEY_SOCKET,
    KEY_COUNT
};

static const struct {
    const char *section, *name;
    const struct word *words; /* NULL: free text */
} keys[KEY_COUNT] = {
    [KEY_LISTEN] = {"node", "listen", NULL},
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
    };
}

void config_clear(struct config *c) {
    sodium_memzero(c, sizeof *c);
}

/* ---- values ---- */

static int word_value(const struct word *words, const char *text, int *out) {
    for (; words->text; words++) {
        if (strcmp(words->text, text) == 0) {
            *out = words->value;
            return 0;
        }
    }
    return ERR_FORMAT;
}

static const char *word_text(const struct word *words, int value) {
    while (words->text && words->value != value)
        words++;
    return words->text ? words->text : "";
}

int config_log_level(enum log_level *out, const char *text) {
    int v;
    if (word_value(log_words, text, &v) != 0)
        return ERR_FORMAT;
    *out = (enum log_level)v;
    return 0;
}

const char *config_log_level_name(enum log_level l) {
    return word_text(log_words, (int)l);
}

int config_listen(struct config *c, const char *text) {
    struct addr a;
    if (addr_parse(&a, text) != 0)
        return ERR_FORMAT;
    if (c->listen_default)
        c->listen_count = 0;
    if (c->listen_count == CONFIG_LISTEN_MAX)
        return ERR_FULL;
    c->listen_default = false;
    c->listen[c->listen_count++] = a;
    return 0;
}

/* Digits and one of K M G T, in either case. */
static int parse_size(uint64_t *out, const char *text) {
    static const char units[] = "KMGT";
    uint64_t v = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return ERR_FORMAT;
        v = v * 10 + digit;
    }
    if (p == text)
        return ERR_FORMAT;
    if (*p) {
        const char *unit = strchr(units, *p & ~0x20);
        if (!unit || !*unit || p[1])
            return ERR_FORMAT;
        unsigned shift = 10 * (unsigned)(unit - units + 1);
        if (v > UINT64_MAX >> shift)
            return ERR_FORMAT;
        v <<= shift;
    }
    *out = v;
    return 0;
}

static void size_text(uint64_t v, char out[static 32]) {
    static const char units[] = "KMGT";
    unsigned i = 0;
    while (v > 0 && v % 1024 == 0 && i < 4) {
        v /= 1024;
        i++;
    }
    if (i == 0)
        snprintf(out, 32, "%llu", (unsigned long long)v);
    else
        snprintf(out, 32, "%llu%c", (unsigned long long)v, units[i - 1]);
}

/* ---- parsing ---- */

struct parse {
    struct config c; /* committed when all went well */
    bool given[KEY_COUNT];
    const char *text;
    size_t len, at;
    unsigned line;  /* last one read */
    bool commented; /* it has a comment behind a value */
    struct config_error *e;
    bool failed;
};

PRINTF_LIKE(2, 3) static int fail(struct parse *p, const char *fmt, ...) {
    if (p->failed)
        return 0; /* the first error is the one to mend first */
    p->failed = true;
    p->e->line = p->line;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->e->text, sizeof p->e->text, fmt, ap);
    va_end(ap);
    return 0; /* what libinih takes for an error */
}

/* libinih takes a ';' behind a blank for the beginning of a comment, and cuts the value there. */
static bool has_late_comment(const char *line) {
    line += strspn(line, " \t");
    if (*line == ';' || *line == '#' || *line == '[')
        return false;
    for (; *line; line++)
        if (line[0] == ';' && strchr(" \t\v\f\r", line[-1]))
            return true;
    return false;
}

/* libinih's fgets. A longer line than its buffer would be read as two: that is an error of its own.
 */
static char *read_line(char *buf, int cap, void *stream) {
    struct parse *p = stream;
    if (p->at == p->len || p->failed)
        return NULL;
    const char *start = p->text + p->at;
    const char *nl = memchr(start, '\n', p->len - p->at);
    size_t n = nl ? (size_t)(nl - start) + 1 : p->len - p->at;
    p->at += n;
    p->line++;
    if (cap < 2 || n >= (size_t)cap || n > CONFIG_LINE_MAX) {
        fail(p, "the line is too long (%zu characters)", n);
        return NULL;
    }
    memcpy(buf, start, n);
    buf[n] = '\0';
    p->commented = has_late_comment(buf);
    return buf;
}

static int take_text(struct parse *p, char *out, size_t cap, const char *value) {
    size_t n = strlen(value);
    if (p->commented) /* which of the two was meant cannot be known: a secret would be cut */
        return fail(p, "a ';' behind a blank begins a comment, which may not follow this value");
    if (n >= cap)
        return fail(p, "the value is too long (at most %zu bytes)", cap - 1);
    memcpy(out, value, n + 1);
    return 1;
}

static int take_listen(struct parse *p, const char *value) {
    char item[ADDR_TEXT_MAX];
    for (;;) {
        value += strspn(value, " \t,");
        size_t n = strcspn(value, " \t,");
        if (n == 0)
            return 1;
        if (n >= sizeof item)
            return fail(p, "'%.*s' is not an address and port", (int)n, value);
        memcpy(item, value, n);
        item[n] = '\0';
        int r = config_listen(&p->c, item);
        if (r == ERR_FULL)
            return fail(p, "more than %d addresses to listen on", CONFIG_LISTEN_MAX);
        if (r != 0)
            return fail(p, "'%s' is not an address and port (192.0.2.1:7557, [::]:7557)", item);
        value += n;
    }
}

static int take_size(struct parse *p, enum key k, const char *value, uint64_t *out) {
    if (parse_size(out, value) != 0)
        return fail(p, "%s is '%.64s', and should be a number of bytes, as 500M", keys[k].name,
                    value);
    return 1;
}

/* A message that no empty history has room for would be sent again for ever. */
static int take_quota(struct parse *p, enum key k, const char *value, uint64_t *out) {
    if (!take_size(p, k, value, out))
        return 0;
    if (*out > 0 && *out < MESSAGE_MAX_BYTES + MESSAGE_OVERHEAD_BYTES)
        return fail(p, "%s is '%.64s': one message may take %d bytes", keys[k].name, value,
                    MESSAGE_MAX_BYTES + MESSAGE_OVERHEAD_BYTES);
    return 1;
}

static int take_word(struct parse *p, enum key k, const char *value, int *out) {
    if (word_value(keys[k].words, value, out) == 0)
        return 1;
    char list[128] = "";
    for (const struct word *w = keys[k].words; w->text; w++) {
        size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s", n > 0 ? ", " : "", w->text);
    }
    return fail(p, "%s is '%.64s', and may be: %s", keys[k].name, value, list);
}

static int take(struct parse *p, enum key k, const char *value) {
    int v = 0;
    if (keys[k].words && !take_word(p, k, value, &v))
        return 0;
    switch (k) {
    case KEY_LISTEN:
        return take_listen(p, value);
    case KEY_NETWORK:
        return take_text(p, p->c.network, sizeof p->c.network, value);
    case KEY_LOG:
        p->c.log = (enum log_level)v;
        return 1;
    case KEY_DOWNLOAD_DIR:
        return take_text(p, p->c.download_dir, sizeof p->c.download_dir, value);
    case KEY_ACCEPT:
        p->c.accept = (enum accept_rule)v;
        return 1;
    case KEY_ACCEPT_MAX:
        return take_size(p, k, value, &p->c.accept_max_bytes);
    case KEY_QUOTA:
        return take_quota(p, k, value, &p->c.quota_bytes);
    case KEY_QUOTA_ALL:
        return take_quota(p, k, value, &p->c.quota_all_bytes);
    case KEY_CONGESTION:
        p->c.cc = (enum cc_kind)v;
        return 1;
    case KEY_AEAD:
        p->c.aead = (enum aead_provider)v;
        return 1;
    case KEY_UDP:
        p->c.udp_portable = v != 0;
        return 1;
    case KEY_SOCKET:
        return take_text(p, p->c.socket, sizeof p->c.socket, value);
    case KEY_COUNT:
        break;
    }
    return 0;
}

static int on_key(void *user, const char *section, const char *name, const char *value) {
    struct parse *p = user;
    bool known_section = false;
    for (unsigned k = 0; k < KEY_COUNT; k++) {
        if (strcmp(keys[k].section, section) != 0)
            continue;
        known_section = true;
        if (strcmp(keys[k].name, name) != 0)
            continue;
        if (p->given[k] && k != KEY_LISTEN)
            return fail(p, "%s is given twice", name);
        p->given[k] = true;
        return take(p, (enum key)k, value ? value : "");
    }
    if (!known_section)
        return section[0] ? fail(p, "there is no section [%.64s]", section)
                          : fail(p, "'%.64s' stands before any section", name);
    return fail(p, "section [%.64s] has no '%.64s'", section, name);
}

int config_parse(struct config *c, const char *text, size_t len, struct config_error *e) {
    struct parse p = {.c = *c, .text = text, .len = len, .e = e};
    *e = (struct config_error){0};
    if (len > CONFIG_TEXT_MAX)
        fail(&p, "the file is too large (at most %d bytes)", CONFIG_TEXT_MAX);
    else if (memchr(text, '\0', len))
        fail(&p, "there is a zero byte in the file");
    int r = p.failed ? 0 : ini_parse_stream(read_line, &p, on_key, &p);
    if (r > 0 && (!p.failed || (unsigned)r < e->line)) {
        e->line = (unsigned)r;
        snprintf(e->text, sizeof e->text, "not a 'key = value' line");
        p.failed = true;
    } else if (r < 0 && !p.failed) {
        fail(&p, "out of memory");
    }
    if (!p.failed)
        *c = p.c;
    sodium_memzero(&p.c, sizeof p.c);
    return p.failed ? ERR_FORMAT : 0;
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
    put(out, &n, "log = %s\n", word_text(log_words, (int)c->log));
    put(out, &n, "\n[files]\ndownload_dir = %s\n", c->download_dir);
    put(out, &n, "accept = %s\n", word_text(accept_words, (int)c->accept));
    size_text(c->accept_max_bytes, size);
    put(out, &n, "accept_max = %s\n", size);
    size_text(c->quota_bytes, size);
    put(out, &n, "\n[messages]\nquota = %s\n", size);
    size_text(c->quota_all_bytes, size);
    put(out, &n, "quota_all = %s\n", size);
    put(out, &n, "\n[transport]\ncongestion = %s\n", word_text(cc_words, (int)c->cc));
    put(out, &n, "aead = %s\n", word_text(aead_words, (int)c->aead));
    put(out, &n, "udp = %s\n", word_text(udp_words, c->udp_portable));
    put(out, &n, "\n[control]\nsocket = %s\n", c->socket);
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
