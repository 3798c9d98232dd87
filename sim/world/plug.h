/* plug.h: a host's interfaces from outside: they are added before time 0; while the world runs they
 * go down and up, move, and change what their links are like. The first, number 0, comes with the
 * host.
 */
#ifndef MESHD_SIM_WORLD_PLUG_H
#define MESHD_SIM_WORLD_PLUG_H

#include "sim/world/nic.h"
#include "sim/world/sim.h"

struct sim_nic_options {
    const char *name; /* of at most NIC_NAME_MAX bytes, and another one than the host's others */
    bool ipv4, ipv6;  /* neither: IPv4 */
    uint32_t site;    /* SITE_NONE: on the internet */
    uint32_t region;  /* SITE_NONE: that of its site, or none */
};

/* One more, before time 0. ERR_FULL: it has HOST_NICS_MAX. ERR_EXISTS: the name is taken. */
int sim_nic_add(struct sim *s, uint32_t host, const struct sim_nic_options *o,
                uint32_t *nic) MUST_USE;
uint32_t sim_nic_count(const struct sim *s, uint32_t host);
const char *sim_nic_name(const struct sim *s, uint32_t host, uint32_t nic); /* "": the first */

/* Down: what comes to it is lost, and the node sends by another; up again it has the addresses that
 * it had. The node is told both. */
void sim_nic_switch(struct sim *s, uint32_t host, uint32_t nic, bool up);
/* A new address in its site, and the node is told. */
void sim_nic_roam(struct sim *s, uint32_t host, uint32_t nic);
/* A new port, as behind a NAT: nobody is told. */
void sim_nic_rebind(struct sim *s, uint32_t host, uint32_t nic);
/* To another site (SITE_NONE: the internet), and the node is told. */
void sim_nic_move(struct sim *s, uint32_t host, uint32_t nic, uint32_t site);
/* Its link, both directions; by enum sim_direction. */
void sim_nic_link_get(const struct sim *s, uint32_t host, uint32_t nic,
                      struct link_config out[static 2]);
void sim_nic_link_set(struct sim *s, uint32_t host, uint32_t nic,
                      const struct link_config c[static 2]);

#endif
