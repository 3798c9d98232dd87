#include "sim/report/pcap.h"

#include <string.h>

#include "sim/world/plug.h"

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    LINKTYPE_RAW = 101,
    OPT_COMMENT = 1
};
enum { OPT_IF_NAME = 2, OPT_IF_TSRESOL = 9, HEADERS_MAX = 48, PACKET_MAX = 65535 + HEADERS_MAX };
static const uint64_t epoch_ns = UINT64_C(1767225600) * 1000000000;

/* ---- blocks: type, length, body, length; all in little-endian, padded to four bytes ---- */

struct body {
    uint8_t bytes[PACKET_MAX + 512];
    size_t len;
};

static void put16(struct body *b, unsigned v) {
    b->bytes[b->len++] = (uint8_t)v;
    b->bytes[b->len++] = (uint8_t)(v >> 8);
}

static void put32(struct body *b, uint32_t v) {
    put16(b, v & 0xffff);
    put16(b, v >> 16);
}

static void put_padded(struct body *b, const void *data, size_t len) {
    memcpy(b->bytes + b->len, data, len);
    b->len += len;
    while (b->len % 4 != 0)
        b->bytes[b->len++] = 0;
}

static void put_option(struct body *b, unsigned code, const void *data, size_t len) {
    put16(b, code);
    put16(b, (unsigned)len);
    put_padded(b, data, len);
}

static void put_comment(struct body *b, const char *what, const char *value) {
    char text[64];
    (void)snprintf(text, sizeof text, "%s: %s", what, value);
    put_option(b, OPT_COMMENT, text, strlen(text));
}

static void write_block(FILE *out, uint32_t type, const struct body *b) {
    struct body head = {.len = 0}, tail = {.len = 0};
    const uint32_t total = (uint32_t)b->len + 12;
    put32(&head, type);
    put32(&head, total);
    put32(&tail, total);
    (void)fwrite(head.bytes, 1, head.len, out);
    (void)fwrite(b->bytes, 1, b->len, out);
    (void)fwrite(tail.bytes, 1, tail.len, out);
}

bool pcap_open(struct pcap *p, const char *path) {
    p->out = fopen(path, "wb");
    if (!p->out)
        return false;
    struct body b = {.len = 0};
    put32(&b, 0x1a2b3c4d);
    put16(&b, 1);
    put16(&b, 0);
    put32(&b, UINT32_MAX); /* the section's length is not known */
    put32(&b, UINT32_MAX);
    write_block(p->out, BLOCK_SECTION, &b);
    return true;
}

bool pcap_close(struct pcap *p) {
    if (!p->out)
        return true;
    const bool ok = !ferror(p->out);
    const bool closed = fclose(p->out) == 0;
    p->out = NULL;
    return ok && closed;
}

/* Every interface that exists by now is described before its first packet. */
static void describe(struct pcap *p, uint32_t host) {
    static const uint8_t nanoseconds = 9;
    while (p->interfaces <= host) {
        struct body b = {.len = 0};
        const char *name = sim_host_name(p->sim, p->interfaces++);
        put16(&b, LINKTYPE_RAW);
        put16(&b, 0);
        put32(&b, 0);
        put_option(&b, OPT_IF_NAME, name, strlen(name));
        put_option(&b, OPT_IF_TSRESOL, &nanoseconds, 1);
        put32(&b, 0);
        write_block(p->out, BLOCK_INTERFACE, &b);
    }
}

/* ---- headers (RFC 791, RFC 8200, RFC 768), network byte order ---- */

static void net16(uint8_t *at, unsigned v) {
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

/* RFC 1071 */
static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len) {
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    return sum;
}

static unsigned fold(uint32_t sum) {
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static size_t headers(uint8_t *h, const struct sim_datagram *d) {
    const bool ipv6 = d->to.kind == ADDR_IPV6;
    const size_t ip = ipv6 ? 40 : 20, addr = ipv6 ? 16 : 4, udp_len = 8 + d->len;
    uint8_t *udp = h + ip;
    memset(h, 0, HEADERS_MAX);
    if (ipv6) {
        h[0] = 0x60;
        h[1] = (uint8_t)(d->ecn << 4); /* the low bits of the traffic class */
        net16(h + 4, (unsigned)udp_len);
        h[6] = 17;
        h[7] = 64;
        memcpy(h + 8, d->from.ip, addr);
        memcpy(h + 24, d->to.ip, addr);
    } else {
        h[0] = 0x45;
        h[1] = d->ecn;
        net16(h + 2, (unsigned)(ip + udp_len));
        net16(h + 4, d->seq & 0xffff);
        h[6] = 0x40; /* do not fragment */
        h[8] = 64;
        h[9] = 17;
        memcpy(h + 12, d->from.ip, addr);
        memcpy(h + 16, d->to.ip, addr);
        net16(h + 10, fold(sum16(0, h, ip)));
    }
    net16(udp, d->from.port);
    net16(udp + 2, d->to.port);
    net16(udp + 4, (unsigned)udp_len);
    uint32_t sum = 17 + (uint32_t)udp_len;
    sum = sum16(sum, d->from.ip, addr);
    sum = sum16(sum, d->to.ip, addr);
    sum = sum16(sum, udp, 8);
    sum = sum16(sum, d->data, d->len);
    const unsigned check = fold(sum);
    net16(udp + 6, check == 0 ? 0xffff : check);
    return ip + 8;
}

void pcap_datagram(struct pcap *p, const struct sim_datagram *d) {
    if (!p->out || d->time_ns < p->from_ns || (p->to_ns > 0 && d->time_ns > p->to_ns) ||
        d->len > 65000 || d->from.kind == ADDR_NONE)
        return;
    const bool lost = d->fate != FATE_DELIVERED;
    const uint32_t host = lost ? d->source : d->target;
    struct body b;
    uint8_t h[HEADERS_MAX];
    describe(p, host);
    const size_t head = headers(h, d);
    const uint64_t at_ns = epoch_ns + d->time_ns;
    b.len = 0;
    put32(&b, host);
    put32(&b, (uint32_t)(at_ns >> 32));
    put32(&b, (uint32_t)at_ns);
    put32(&b, (uint32_t)(head + d->len));
    put32(&b, (uint32_t)(head + d->len));
    memcpy(b.bytes + b.len, h, head);
    b.len += head;
    put_padded(&b, d->data, d->len);
    const char *by = sim_nic_name(p->sim, host, lost ? d->source_nic : d->target_nic);
    if (lost)
        put_comment(&b, "lost", fate_name(d->fate));
    if (by[0])
        put_comment(&b, "interface", by);
    if (lost || by[0])
        put32(&b, 0); /* the end of the options */
    write_block(p->out, BLOCK_PACKET, &b);
    p->packets++;
}
