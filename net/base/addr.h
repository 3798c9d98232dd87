/* addr.h: the address of a UDP socket, a tagged type. Value struct; all zeroes is ADDR_NONE.
 * IPv4-mapped IPv6 addresses are stored as IPv4, so that one address has one form. By what else a
 * packet may come says net/base/hop.h. No sockets here: conversion to and from struct sockaddr is
 * net/io's business.
 */
#ifndef MESHD_NET_BASE_ADDR_H
#define MESHD_NET_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

enum addr_kind { ADDR_NONE = 0, ADDR_IPV4 = 4, ADDR_IPV6 = 6 };

struct addr {
    uint8_t kind;   /* enum addr_kind */
    uint16_t port;  /* host order */
    uint32_t scope; /* IPv6 link-local interface index, else 0; never on the wire */
    uint8_t ip[16]; /* IPv4 uses the first 4, the rest is zero */
};

enum {
    ADDR_WIRE_MAX = 19, /* kind u8 | ip 4 or 16 | port u16 LE */
    ADDR_TEXT_MAX = 64, /* "[ipv6%scope]:65535" and NUL */
};

bool addr_equal(const struct addr *a, const struct addr *b);     /* ip, port, scope */
bool addr_same_host(const struct addr *a, const struct addr *b); /* ip only */
bool addr_is_loopback(const struct addr *a);
bool addr_is_unspecified(const struct addr *a); /* 0.0.0.0 or :: */
bool addr_is_link_local(const struct addr *a);
/* RFC 1918, RFC 6598, RFC 4193, link-local, loopback: never told to a stranger. */
bool addr_is_private(const struct addr *a);

/* Canonical bytes. Returns the size written (7 or 19), 0 for NONE.
 */
size_t addr_write(const struct addr *a, uint8_t out[static ADDR_WIRE_MAX]);
/* Reads one at in[0..len). Returns the size used, 0 if malformed. */
size_t addr_read(struct addr *a, const uint8_t *in, size_t len);

/* "127.0.0.1:4000", "[::1]:4000", "[fe80::1%2]:4000". ERR_FORMAT otherwise; no names are looked up.
 * Port 0 is allowed (meaning: any). */
int addr_parse(struct addr *a, const char *text) MUST_USE;
void addr_text(const struct addr *a, char out[static ADDR_TEXT_MAX]);

#endif
