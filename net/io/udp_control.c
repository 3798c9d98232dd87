#include "net/io/udp_control.h"

#include <netinet/udp.h>
#include <string.h>

#include "net/base/ecn_field.h"

/* How IPv4 names an address of ours: the BSDs by the address alone. */
#if defined(IP_RECVDSTADDR)
enum { V4_ADDRESS = IP_RECVDSTADDR };
typedef struct in_addr v4_address;
#define V4_BYTES(v4) (v4)
#else
enum { V4_ADDRESS = IP_PKTINFO };
typedef struct in_pktinfo v4_address;
#define V4_BYTES(v4) (&(v4)->ipi_spec_dst)
#endif

/* Multicast is no address to answer from; of IPv4 the kernel says which of ours is. */
static void read_address(struct udp_control_in *t, const struct cmsghdr *c) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == V4_ADDRESS &&
        c->cmsg_len >= CMSG_LEN(sizeof(v4_address))) {
        v4_address v4;
        memcpy(&v4, CMSG_DATA(c), sizeof v4);
        t->to.kind = ADDR_IPV4;
        memcpy(t->to.ip, V4_BYTES(&v4), 4);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
               c->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo))) {
        struct in6_pktinfo v6;
        memcpy(&v6, CMSG_DATA(c), sizeof v6);
        if (IN6_IS_ADDR_MULTICAST(&v6.ipi6_addr))
            return;
        t->to.kind = ADDR_IPV6;
        memcpy(t->to.ip, &v6.ipi6_addr, 16);
        t->to.scope = IN6_IS_ADDR_LINKLOCAL(&v6.ipi6_addr) ? (uint32_t)v6.ipi6_ifindex : 0;
    }
}

/* False: it is about something else. */
static bool read_run(struct udp_control_in *t, const struct cmsghdr *c, size_t len) {
#ifdef MESHD_LINUX
    int value = 0;
    if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO)
        return false;
    if (c->cmsg_len >= CMSG_LEN(sizeof value))
        memcpy(&value, CMSG_DATA(c), sizeof value);
    t->nonsense = value <= 0 || (size_t)value > len;
    t->segment = t->nonsense ? 0 : (size_t)value;
    return true;
#else
    (void)t, (void)c, (void)len;
    return false;
#endif
}

/* Linux tells the field as IP_TOS, the BSDs as the name of the option that asks for it. */
static bool is_tos(const struct cmsghdr *c) {
    return c->cmsg_level == IPPROTO_IP && (c->cmsg_type == IP_TOS || c->cmsg_type == IP_RECVTOS) &&
           c->cmsg_len >= CMSG_LEN(1);
}

struct udp_control_in udp_control_read(struct msghdr *m, size_t len) {
    struct udp_control_in t = {.ecn = ECN_NOT_ECT};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        int value = 0;
        if (read_run(&t, c, len))
            continue;
        if (is_tos(c)) {
            t.ecn = CMSG_DATA(c)[0] & ECN_MASK;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS &&
                   c->cmsg_len >= CMSG_LEN(sizeof value)) {
            memcpy(&value, CMSG_DATA(c), sizeof value);
            t.ecn = (uint8_t)(value & ECN_MASK);
        } else {
            read_address(&t, c);
        }
    }
    return t;
}

static void *say(struct udp_control_out *a, int level, int type, size_t len) {
    struct cmsghdr *c = (struct cmsghdr *)(void *)(a->buf.bytes + a->len);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    a->len += CMSG_SPACE(len);
    return CMSG_DATA(c);
}

static void say_source(struct udp_control_out *a, const struct addr *source) {
    if (source->kind == ADDR_IPV4) {
        v4_address v4;
        memset(&v4, 0, sizeof v4);
        memcpy(V4_BYTES(&v4), source->ip, 4);
        memcpy(say(a, IPPROTO_IP, V4_ADDRESS, sizeof v4), &v4, sizeof v4);
    } else {
        struct in6_pktinfo v6 = {.ipi6_ifindex = source->scope};
        memcpy(&v6.ipi6_addr, source->ip, 16);
        memcpy(say(a, IPPROTO_IPV6, IPV6_PKTINFO, sizeof v6), &v6, sizeof v6);
    }
}

void udp_control_write(struct udp_control_out *a, const struct train *t,
                       const struct local_addrs *locals, bool segments) {
    memset(a, 0, sizeof *a);
#ifdef MESHD_LINUX
    if (segments)
        memcpy(say(a, SOL_UDP, UDP_SEGMENT, sizeof t->segment_bytes), &t->segment_bytes,
               sizeof t->segment_bytes);
#else
    (void)segments; /* there is no such thing */
#endif
    a->without_source = a->len;
    const uint32_t local = t->to.udp.local;
    const uint32_t number = local == LOCAL_ANY ? 0 : local >> LOCAL_SOCKET_BITS;
    const struct addr *source = number ? local_addrs_find(locals, number) : NULL;
    if (!source)
        return;
    a->source = number;
    say_source(a, source);
}

void udp_control_attach(struct msghdr *m, struct udp_control_out *a, size_t len) {
    m->msg_control = len > 0 ? &a->buf : NULL;
    m->msg_controllen = len;
}
