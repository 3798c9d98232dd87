/* nat_icmp.c: ICMP errors through a NAT (RFC 5508 §4.2): the packet that they quote is turned back
 * by the mapping it was translated by. No mapping is made, refreshed or ended by them (REQ-6). */
#include "sim/nat/nat_int.h"
#include "sim/nat/nat_linux.h"
#include "sim/nat/nat_mapping.h"

enum nat_verdict nat_icmp_in(struct nat *n, uint64_t now_ns, struct addr *quoted_src,
                             const struct addr *quoted_dst) {
    if (n->cfg.conntrack)
        return nat_linux_inner(n, now_ns, quoted_src, quoted_dst, quoted_src) ? NAT_PASS
                                                                              : NAT_NO_MAPPING;
    const struct nat_mapping *m = nat_mapping_at(n, now_ns, quoted_src);
    if (!m)
        return NAT_NO_MAPPING;
    if (!nat_is_permitted(n, now_ns, m, quoted_dst, false))
        return NAT_FILTERED;
    *quoted_src = m->inner;
    return NAT_PASS;
}

enum nat_verdict nat_icmp_out(struct nat *n, uint64_t now_ns, const struct addr *quoted_src,
                              struct addr *quoted_dst) {
    if (n->cfg.conntrack)
        return nat_linux_outer(n, now_ns, quoted_dst, quoted_src, quoted_dst) ? NAT_PASS
                                                                              : NAT_NO_MAPPING;
    const struct nat_mapping *m = nat_mapping_from(n, now_ns, quoted_dst, quoted_src);
    if (!m)
        return NAT_NO_MAPPING;
    if (!nat_is_permitted(n, now_ns, m, quoted_src, false))
        return NAT_FILTERED;
    *quoted_dst = m->outer;
    return NAT_PASS;
}
