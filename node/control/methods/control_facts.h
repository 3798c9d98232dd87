/* control_facts.h: what only the daemon knows, for "status", kept as long as the control API lives;
 * and what a client asks of the daemon itself.
 */
#ifndef MESHD_NODE_CONTROL_METHODS_CONTROL_FACTS_H
#define MESHD_NODE_CONTROL_METHODS_CONTROL_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "node/node.h"

struct facts {
    char *version, *state_dir, *socket_path, *config_path;
    bool private_network;
    struct addr listen[PEER_ADDRS_MAX];
    unsigned listen_count;
    int udp_gso, udp_gro;
    uint64_t longest_turn_us;
    bool shutdown; /* a client has asked for it */
};

/* Takes copies; false: no memory (facts_clear all the same). The other fields are the caller's. */
bool facts_init(struct facts *f, const char *const strings[static 4]);
void facts_clear(struct facts *f);
/* False: no memory, and it is the one from before. */
bool facts_set_config_path(struct facts *f, const char *path);

#endif
