#include "net/io/sockaddr.h"

#include <string.h>

socklen_t sockaddr_from(struct sockaddr_storage *out, const struct addr *a) {
    memset(out, 0, sizeof *out);
    if (a->kind == ADDR_IPV4) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
        memcpy(&v4.sin_addr, a->ip, 4);
        memcpy(out, &v4, sizeof v4);
        return sizeof v4;
    }
    if (a->kind == ADDR_IPV6) {
        struct sockaddr_in6 v6 = {
            .sin6_family = AF_INET6, .sin6_port = htons(a->port), .sin6_scope_id = a->scope};
        memcpy(&v6.sin6_addr, a->ip, 16);
        memcpy(out, &v6, sizeof v6);
        return sizeof v6;
    }
    return 0;
}

bool sockaddr_to(struct addr *out, const struct sockaddr *in) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    memset(out, 0, sizeof *out);
    if (in->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, in, sizeof v4);
        out->kind = ADDR_IPV4;
        out->port = ntohs(v4.sin_port);
        memcpy(out->ip, &v4.sin_addr, 4);
        return true;
    }
    if (in->sa_family != AF_INET6)
        return false;
    struct sockaddr_in6 v6;
    memcpy(&v6, in, sizeof v6);
    const uint8_t *ip = (const uint8_t *)&v6.sin6_addr;
    out->port = ntohs(v6.sin6_port);
    if (memcmp(ip, mapped, sizeof mapped) == 0) {
        out->kind = ADDR_IPV4;
        memcpy(out->ip, ip + 12, 4);
        return true;
    }
    out->kind = ADDR_IPV6;
    memcpy(out->ip, ip, 16);
    /* The kernel names the interface for link-local addresses only (fe80::/10). */
    out->scope = ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80 ? v6.sin6_scope_id : 0;
    return true;
}
