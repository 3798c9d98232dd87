/* gateway.h: the port-mapping service of a NAT, as a node's environment offers it: what NAT-PMP
 * (RFC 6886), PCP (RFC 6887) and IGD have in common, without their packets. A lease runs out unless
 * it is asked for again; the epoch counts the seconds since the gateway started, so that a client
 * can see a reboot (RFC 6886 §3.6).
 *
 * It behaves: grant; refuse; shorten(TIME) (leases of so much at most); lie (says yes, maps
 * nothing); wrong (maps, but names another external address); forget(TIME) (loses all leases every
 * so often without a word); off (no answer).
 */
#ifndef MESHD_SIM_NAT_GATEWAY_H
#define MESHD_SIM_NAT_GATEWAY_H

#include "sim/nat/nat.h"

enum gateway_kind {
    GATEWAY_GRANT,
    GATEWAY_REFUSE,
    GATEWAY_SHORTEN,
    GATEWAY_LIE,
    GATEWAY_WRONG,
    GATEWAY_FORGET,
    GATEWAY_OFF,
};
enum { GATEWAY_LEASES_MAX = 256, GATEWAY_LIFETIME_MAX_S = 7200 };

struct gateway_config {
    enum gateway_kind kind;
    uint64_t time_ns; /* shorten, forget */
};
const char *gateway_config_read(struct gateway_config *out,
                                const char *text); /* NULL, or what is wrong */

struct gateway;
/* Works on `nat`, which must outlive it. Aborts when out of memory. */
struct gateway *gateway_new(struct nat *nat, uint64_t now_ns);
void gateway_free(struct gateway *g); /* NULL is fine */
/* From now on; with `forget`, the leases there are are lost so much later. */
void gateway_configure(struct gateway *g, uint64_t now_ns, const struct gateway_config *c);
void gateway_reboot(struct gateway *g,
                    uint64_t now_ns); /* leases are gone, the epoch begins anew */

struct gateway_request {
    struct addr inner;
    uint16_t wanted_port;
    uint32_t lifetime_s; /* 0: give it up */
};
struct gateway_answer {
    struct addr external;
    uint32_t lifetime_s, epoch_s;
};
enum gateway_verdict { GATEWAY_OK, GATEWAY_REFUSED, GATEWAY_SILENT };
enum gateway_verdict gateway_map(struct gateway *g, uint64_t now_ns,
                                 const struct gateway_request *r, struct gateway_answer *out);

#endif
