#include "node/base/relay_addr.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/bytes.h"

enum { KIND_NAME = 1, LABEL_MAX = 63 };

static const char no_key[] = "the relay's key is missing; expected " RELAY_ADDR_FORM
                             ", with the id that 'meshctl status' shows there";
static const char bad_key[] = "what follows '#' is no node id (mesh1 and 58 letters and digits): "
                              "one of them is mistyped or missing, or there are too many";
static const char no_host[] = "the host is missing; expected " RELAY_ADDR_FORM;
static const char no_port[] = "the port is missing; expected " RELAY_ADDR_FORM;
static const char bad_port[] = "the port is no number from 1 to 65535";
static const char no_brackets[] = "an IPv6 address stands in brackets: [2001:db8::1]:7557#mesh1...";
static const char bad_ipv6[] = "what stands in brackets is no IPv6 address; expected "
                               "[2001:db8::1]:7557#mesh1...";
static const char bad_ipv4[] = "the host ends in a number, but is no IPv4 address (192.0.2.1)";
static const char bad_use[] = "no other machine can be at this address (unspecified, broadcast or "
                              "a group)";
static const char bad_scope[] = "a link-local address means nothing to others; give another "
                                "address or a name of the relay";
static const char long_name[] = "the host's name is longer than 253 characters";
static const char bad_label[] = "a part of the host's name is empty, or longer than 63 characters, "
                                "or begins or ends with '-'";
static const char bad_name[] = "the host's name may have letters, digits, '-' and '.' (others "
                               "in their ASCII form, xn--...)";

static const char cut[] = "it is neither a name nor an IPv4 or IPv6 address, or is cut off";

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '.';
}

/* ---- a host that is a name ---- */
/* "10", "0x7f": what inet_aton takes for a part of an IPv4 address. */
static bool is_number(const char *label, size_t n) {
    if (n >= 2 && label[0] == '0' && label[1] == 'x')
        return strspn(label + 2, "0123456789abcdef") >= n - 2;
    return n > 0 && strspn(label, "0123456789") >= n;
}

static bool ends_in_number(const char *host) {
    const char *dot = strrchr(host, '.');
    const char *last = dot ? dot + 1 : host;
    return is_number(last, strlen(last));
}

/* Of a name in lower case. NULL: fine. */
static const char *name_wrong(const char *host) {
    const size_t len = strlen(host);
    if (len > RELAY_HOST_MAX)
        return long_name;
    for (size_t i = 0; i < len; i++)
        if (!is_name_char(host[i]))
            return bad_name;
    for (const char *label = host;;) {
        const size_t n = strcspn(label, ".");
        if (n == 0 || n > LABEL_MAX || label[0] == '-' || label[n - 1] == '-')
            return bad_label;
        if (label[n] == '\0')
            return ends_in_number(host) ? bad_ipv4 : NULL;
        label += n + 1;
    }
}

/* ---- a host that is an address ---- */
static const char *addr_wrong(const struct addr *a) {
    const bool group = a->kind == ADDR_IPV4 ? a->ip[0] >= 224 : a->ip[0] == 0xff;
    if (addr_is_unspecified(a) || group || (a->kind == ADDR_IPV4 && a->ip[0] == 0))
        return bad_use;
    return addr_is_link_local(a) ? bad_scope : NULL;
}

/* ---- text ---- */
/* text[0..len) is decimal, 1 to 65535, without superfluous zeros. */
static bool parse_port(uint16_t *out, const char *text, size_t len) {
    unsigned v = 0;
    if (len == 0 || len > 5 || text[0] == '0')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]))
            return false;
        v = v * 10 + (unsigned)(text[i] - '0');
    }
    *out = (uint16_t)v;
    return v <= 65535;
}

static const char *parse_addr(struct relay_addr *a, const char *host, size_t host_len,
                              const char *wrong) {
    char text[ADDR_TEXT_MAX];
    const int n = snprintf(text, sizeof text, "%.*s:%u", (int)host_len, host, a->port);
    if (n < 0 || (size_t)n >= sizeof text || addr_parse(&a->at, text) != 0)
        return wrong;
    return addr_wrong(&a->at);
}

static const char *parse_name(struct relay_addr *a, const char *host, size_t len) {
    if (len > RELAY_HOST_MAX)
        return long_name;
    for (size_t i = 0; i < len; i++)
        a->host[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] | 0x20 : host[i]);
    a->host[len] = '\0';
    const char *wrong = name_wrong(a->host);
    if (wrong != bad_ipv4)
        return wrong;
    memset(a->host, 0, sizeof a->host);
    return parse_addr(a, host, len, bad_ipv4);
}

/* HOST:PORT is place[0..len). */
static const char *parse_place(struct relay_addr *a, const char *place, size_t len) {
    const bool bracketed = len > 0 && place[0] == '[';
    const char *close = bracketed ? memchr(place, ']', len) : NULL;
    if (len == 0 || place[0] == ':')
        return len > 1 && memchr(place + 1, ':', len - 1) ? no_brackets : no_host;
    if (bracketed && !close)
        return bad_ipv6;
    const char *host_end = bracketed ? close + 1 : memchr(place, ':', len);
    const char *end = place + len;
    if (!host_end || host_end == end || host_end + 1 == end)
        return no_port;
    if (*host_end != ':')
        return bad_ipv6; /* something behind the bracket */
    const char *port = host_end + 1;
    const size_t port_len = (size_t)(end - port);
    if (!bracketed && memchr(port, ':', port_len))
        return no_brackets;
    if (!parse_port(&a->port, port, port_len))
        return bad_port;
    const size_t host_len = (size_t)(host_end - place);
    return bracketed ? parse_addr(a, place, host_len, bad_ipv6) : parse_name(a, place, host_len);
}

int relay_addr_parse(struct relay_addr *out, const char *text, const char **wrong) {
    struct relay_addr a = {.port = 0};
    const size_t len = strcspn(text, "#");
    *wrong = text[len] == '\0' || text[len + 1] == '\0'  ? no_key
             : node_id_parse(&a.id, text + len + 1) != 0 ? bad_key
                                                         : parse_place(&a, text, len);
    if (*wrong)
        return ERR_FORMAT;
    *out = a;
    return 0;
}

void relay_addr_text(const struct relay_addr *a, char out[static RELAY_ADDR_TEXT_MAX + 1]) {
    char place[RELAY_HOST_MAX + 7], id[NODE_ID_TEXT_CHARS + 1];
    _Static_assert(sizeof place >= ADDR_TEXT_MAX, "an address fits, too");
    if (a->host[0])
        snprintf(place, sizeof place, "%s:%u", a->host, a->port);
    else
        addr_text(&a->at, place);
    node_id_text(&a->id, id);
    snprintf(out, RELAY_ADDR_TEXT_MAX + 1, "%s#%s", place, id);
}

bool relay_addr_equal(const struct relay_addr *a, const struct relay_addr *b) {
    return a->port == b->port && node_id_equal(&a->id, &b->id) && strcmp(a->host, b->host) == 0 &&
           addr_equal(&a->at, &b->at);
}

/* ---- bytes ---- */
size_t relay_addr_write(const struct relay_addr *a, uint8_t out[static RELAY_ADDR_WIRE_MAX]) {
    struct wr w = wr_init(out, RELAY_ADDR_WIRE_MAX);
    if (a->host[0]) {
        const size_t len = strlen(a->host);
        wr_u8(&w, KIND_NAME);
        wr_u8(&w, (uint8_t)len);
        wr_bytes(&w, a->host, len);
        wr_u16(&w, a->port);
    } else {
        uint8_t at[ADDR_WIRE_MAX];
        const size_t len = addr_write(&a->at, at);
        if (len == 0)
            return 0;
        wr_bytes(&w, at, len);
    }
    wr_bytes(&w, a->id.bytes, sizeof a->id.bytes);
    assert(w.ok); /* the room is for the largest */
    return wr_len(&w);
}

size_t relay_addr_size(const struct relay_addr *a) {
    uint8_t out[RELAY_ADDR_WIRE_MAX];
    return relay_addr_write(a, out);
}

static const char *read_name(struct relay_addr *a, struct rd *r) {
    (void)rd_u8(r);
    const uint8_t len = rd_u8(r);
    const uint8_t *name = rd_take(r, len);
    if (!name)
        return cut;
    if (len > RELAY_HOST_MAX)
        return long_name;
    memcpy(a->host, name, len);
    a->port = rd_u16(r);
    return strlen(a->host) == len ? name_wrong(a->host) : bad_name;
}

static const char *read_addr(struct relay_addr *a, struct rd *r) {
    const size_t n = addr_read(&a->at, r->p, rd_left(r));
    if (n == 0 || !rd_take(r, n))
        return cut;
    a->port = a->at.port;
    return addr_wrong(&a->at);
}

size_t relay_addr_read(struct relay_addr *a, const uint8_t *in, size_t len, const char **wrong) {
    struct rd r = rd_init(in, len);
    struct relay_addr got = {.port = 0};
    *wrong = len == 0 ? cut : in[0] == KIND_NAME ? read_name(&got, &r) : read_addr(&got, &r);
    rd_bytes(&r, got.id.bytes, sizeof got.id.bytes);
    if (!*wrong && !r.ok)
        *wrong = cut;
    if (!*wrong && got.port == 0)
        *wrong = bad_port;
    if (*wrong)
        return 0;
    *a = got;
    return len - rd_left(&r);
}

/* ---- several ---- */
static unsigned find(const struct relay_set *s, const struct relay_addr *a) {
    unsigned i = 0;
    while (i < s->count && !relay_addr_equal(&s->list[i], a))
        i++;
    return i;
}

bool relay_set_add(struct relay_set *s, const struct relay_addr *a) {
    const unsigned i = find(s, a);
    if (i < s->count || s->count == RELAY_SET_MAX)
        return false;
    s->list[s->count++] = *a;
    return true;
}

void relay_set_first(struct relay_set *s, const struct relay_addr *a) {
    const struct relay_addr first = *a; /* it may be one of them */
    unsigned i = find(s, a);
    if (i == s->count && s->count < RELAY_SET_MAX)
        s->count++;
    else if (i == s->count)
        i--;
    memmove(&s->list[1], &s->list[0], i * sizeof s->list[0]);
    s->list[0] = first;
}

bool relay_set_equal(const struct relay_set *a, const struct relay_set *b) {
    bool same = a->count == b->count;
    for (unsigned i = 0; same && i < a->count; i++)
        same = relay_addr_equal(&a->list[i], &b->list[i]);
    return same;
}
