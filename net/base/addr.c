/* addr.c: the text forms are RFC 4291 §2.2 on the way in and RFC 5952 on the way out, by hand: the
 * libraries' functions disagree about leading zeros, scopes and short forms, and one of them asks
 * the network. */
#include "net/base/addr.h"

#include <string.h>

#include "crypto/base/bytes.h"

enum { IPV4_BYTES = 4, IPV6_BYTES = 16, IPV6_GROUPS = 8 };

static size_t ip_size(const struct addr *a) {
    return a->kind == ADDR_IPV4 ? IPV4_BYTES : a->kind == ADDR_IPV6 ? IPV6_BYTES : 0;
}

/* Each packet comes by here, some times: sizes that are known, and no call. */
static inline bool same_host(const struct addr *a, const struct addr *b) {
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case ADDR_IPV4:
        return memcmp(a->ip, b->ip, IPV4_BYTES) == 0;
    case ADDR_IPV6:
        return memcmp(a->ip, b->ip, IPV6_BYTES) == 0;
    default:
        return true;
    }
}

bool addr_equal(const struct addr *a, const struct addr *b) {
    return a->port == b->port && a->scope == b->scope && same_host(a, b);
}

bool addr_same_host(const struct addr *a, const struct addr *b) {
    return same_host(a, b);
}

/* Whether the first `bits` bits of the address are those of `prefix`. */
static bool in_prefix(const struct addr *a, const uint8_t *prefix, unsigned bits) {
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a->ip, prefix, whole) != 0)
        return false;
    return rest == 0 || (a->ip[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

static const uint8_t zero_ip[IPV6_BYTES];

bool addr_is_loopback(const struct addr *a) {
    static const uint8_t one[IPV6_BYTES] = {[15] = 1};
    return (a->kind == ADDR_IPV4 && a->ip[0] == 127) ||
           (a->kind == ADDR_IPV6 && memcmp(a->ip, one, sizeof one) == 0);
}

bool addr_is_unspecified(const struct addr *a) {
    return a->kind != ADDR_NONE && memcmp(a->ip, zero_ip, ip_size(a)) == 0;
}

bool addr_is_link_local(const struct addr *a) {
    static const uint8_t v4[] = {169, 254}, v6[] = {0xfe, 0x80}; /* RFC 3927, RFC 4291 §2.5.6 */
    return (a->kind == ADDR_IPV4 && in_prefix(a, v4, 16)) ||
           (a->kind == ADDR_IPV6 && in_prefix(a, v6, 10));
}

bool addr_is_private(const struct addr *a) {
    static const struct {
        uint8_t kind, bits, prefix[2];
    } table[] = {
        {ADDR_IPV4, 8, {10, 0}},     {ADDR_IPV4, 12, {172, 16}}, /* RFC 1918 */
        {ADDR_IPV4, 16, {192, 168}},                             /* RFC 1918 */
        {ADDR_IPV4, 10, {100, 64}},                              /* RFC 6598: carrier's NAT */
        {ADDR_IPV6, 7, {0xfc, 0}},                               /* RFC 4193: unique local */
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (a->kind == table[i].kind && in_prefix(a, table[i].prefix, table[i].bits))
            return true;
    return addr_is_loopback(a) || addr_is_link_local(a);
}

/* ::ffff:0:0/96, RFC 4291 §2.5.5.2. */
static bool is_mapped(const uint8_t ip[static IPV6_BYTES]) {
    return memcmp(ip, zero_ip, 10) == 0 && ip[10] == 0xff && ip[11] == 0xff;
}

size_t addr_write(const struct addr *a, uint8_t out[static ADDR_WIRE_MAX]) {
    size_t n = ip_size(a);
    if (n == 0)
        return 0;
    struct wr w = wr_init(out, ADDR_WIRE_MAX);
    wr_u8(&w, a->kind);
    wr_bytes(&w, a->ip, n);
    wr_u16(&w, a->port);
    return wr_len(&w);
}

size_t addr_read(struct addr *a, const uint8_t *in, size_t len) {
    struct rd r = rd_init(in, len);
    struct addr got = {.kind = rd_u8(&r)};
    size_t n = ip_size(&got);
    if (n == 0)
        return 0;
    rd_bytes(&r, got.ip, n);
    got.port = rd_u16(&r);
    /* A mapped address would be a second form of an IPv4 one; addr_write never makes it. */
    if (!r.ok || (got.kind == ADDR_IPV6 && is_mapped(got.ip)))
        return 0;
    *a = got;
    return len - rd_left(&r);
}

/* ---- text in ---- */

/* A decimal number without sign or superfluous zeros, at most `max`; moves *p behind it. */
static bool parse_decimal(const char **p, uint32_t max, uint32_t *out) {
    const char *s = *p;
    uint64_t v = 0;
    if (*s < '0' || *s > '9' || (*s == '0' && s[1] >= '0' && s[1] <= '9'))
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        v = v * 10 + (uint64_t)(*s - '0');
        if (v > max)
            return false;
    }
    *p = s;
    *out = (uint32_t)v;
    return true;
}

static bool parse_ipv4(const char **p, uint8_t out[static IPV4_BYTES]) {
    const char *s = *p;
    for (unsigned i = 0; i < IPV4_BYTES; i++) {
        uint32_t v;
        if (i > 0 && *s++ != '.')
            return false;
        if (!parse_decimal(&s, 255, &v))
            return false;
        out[i] = (uint8_t)v;
    }
    *p = s;
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One to four hexadecimal digits, two bytes. */
static bool parse_group(const char **p, uint8_t out[static 2]) {
    const char *s = *p;
    unsigned v = 0;
    for (; s - *p < 4 && hex_digit(*s) >= 0; s++)
        v = v << 4 | (unsigned)hex_digit(*s);
    if (s == *p || hex_digit(*s) >= 0)
        return false;
    out[0] = (uint8_t)(v >> 8);
    out[1] = (uint8_t)v;
    *p = s;
    return true;
}

/* RFC 4291 §2.2: groups, one "::" for at least one of them, the last two perhaps as IPv4. */
static bool parse_ipv6(const char **p, uint8_t out[static IPV6_BYTES]) {
    const char *s = *p;
    uint8_t head[IPV6_BYTES] = {0};
    size_t n = 0, gap = SIZE_MAX;
    if (s[0] == ':' && s[1] == ':') {
        gap = 0;
        s += 2;
    }
    while (n < IPV6_BYTES && hex_digit(*s) >= 0) {
        const char *group = s;
        if (!parse_group(&s, head + n))
            return false;
        if (*s == '.') {
            s = group;
            if (n + IPV4_BYTES > IPV6_BYTES || !parse_ipv4(&s, head + n))
                return false;
            n += IPV4_BYTES;
            break;
        }
        n += 2;
        if (*s != ':')
            break;
        if (s[1] == ':') {
            if (gap != SIZE_MAX)
                return false;
            gap = n;
            s += 2;
        } else if (hex_digit(*++s) < 0) {
            return false; /* a single colon must be followed by a group */
        }
    }
    if (gap == SIZE_MAX ? n != IPV6_BYTES : n + 2 > IPV6_BYTES)
        return false;
    if (gap == SIZE_MAX)
        gap = n;
    memset(out, 0, IPV6_BYTES);
    memcpy(out, head, gap);
    memcpy(out + IPV6_BYTES - (n - gap), head + gap, n - gap);
    *p = s;
    return true;
}

/* "[ip%scope]" */
static bool parse_bracketed(const char **p, struct addr *a) {
    const char *s = *p + 1;
    a->kind = ADDR_IPV6;
    if (!parse_ipv6(&s, a->ip))
        return false;
    if (*s == '%') {
        s++;
        /* An index means something only where the address alone does not name the link. */
        if (!addr_is_link_local(a) || !parse_decimal(&s, UINT32_MAX, &a->scope) || a->scope == 0)
            return false;
    }
    if (*s++ != ']')
        return false;
    if (is_mapped(a->ip)) {
        a->kind = ADDR_IPV4;
        memmove(a->ip, a->ip + IPV6_BYTES - IPV4_BYTES, IPV4_BYTES);
        memset(a->ip + IPV4_BYTES, 0, IPV6_BYTES - IPV4_BYTES);
    }
    *p = s;
    return true;
}

int addr_parse(struct addr *a, const char *text) {
    struct addr got = {.kind = ADDR_IPV4};
    const char *s = text;
    uint32_t port;
    if (!(*s == '[' ? parse_bracketed(&s, &got) : parse_ipv4(&s, got.ip)))
        return ERR_FORMAT;
    if (*s++ != ':' || !parse_decimal(&s, UINT16_MAX, &port) || *s != '\0')
        return ERR_FORMAT;
    got.port = (uint16_t)port;
    *a = got;
    return 0;
}

/* ---- text out ---- */

static char *put_text(char *p, const char *s) {
    while (*s)
        *p++ = *s++;
    return p;
}

static char *put_number(char *p, uint32_t v, uint32_t base) {
    char digits[10];
    size_t n = 0;
    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v > 0);
    while (n > 0)
        *p++ = digits[--n];
    return p;
}

static char *put_ipv4(char *p, const uint8_t ip[static IPV4_BYTES]) {
    for (unsigned i = 0; i < IPV4_BYTES; i++) {
        if (i > 0)
            *p++ = '.';
        p = put_number(p, ip[i], 10);
    }
    return p;
}

/* RFC 5952 §4: lower case, no leading zeros, "::" for the first of the longest runs of two or more
 * zero groups. */
static char *put_ipv6(char *p, const uint8_t ip[static IPV6_BYTES]) {
    uint32_t group[IPV6_GROUPS];
    for (unsigned i = 0; i < IPV6_GROUPS; i++)
        group[i] = (uint32_t)ip[2 * i] << 8 | ip[2 * i + 1];
    unsigned best = IPV6_GROUPS, best_len = 1;
    for (unsigned i = 0; i < IPV6_GROUPS; i++) {
        unsigned len = 0;
        while (i + len < IPV6_GROUPS && group[i + len] == 0)
            len++;
        if (len > best_len) {
            best = i;
            best_len = len;
        }
    }
    for (unsigned i = 0; i < IPV6_GROUPS;) {
        if (i == best) {
            p = put_text(p, "::");
            i += best_len;
            continue;
        }
        if (i > 0 && p[-1] != ':')
            *p++ = ':';
        p = put_number(p, group[i++], 16);
    }
    return p;
}

void addr_text(const struct addr *a, char out[static ADDR_TEXT_MAX]) {
    char *p = out;
    switch ((enum addr_kind)a->kind) {
    case ADDR_NONE:
        *put_text(p, "none") = '\0';
        return;
    case ADDR_IPV4:
        p = put_ipv4(p, a->ip);
        break;
    case ADDR_IPV6:
        *p++ = '[';
        p = put_ipv6(p, a->ip);
        if (a->scope != 0) {
            *p++ = '%';
            p = put_number(p, a->scope, 10);
        }
        *p++ = ']';
        break;
    }
    *p++ = ':';
    *put_number(p, a->port, 10) = '\0';
}
