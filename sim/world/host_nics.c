/* host_nics.c: which of a host's interfaces is meant; it looks at nothing else of the host, and all
 * parts of the world ask it.
 */
#include "sim/world/host.h"

uint32_t host_route(const struct host *h, unsigned kind) {
    uint32_t found = 0;
    for (uint32_t i = h->nic_count; i-- > 0;)
        if (host_nic_of(h, i)->off && nic_addr(host_nic_of(h, i), kind))
            found = i;
    for (uint32_t i = h->nic_count; i-- > 0;)
        if (!host_nic_of(h, i)->off && nic_addr(host_nic_of(h, i), kind))
            found = i;
    return found;
}

bool host_nic_with(const struct host *h, const struct addr *a, uint32_t *nic) {
    for (uint32_t i = 0; i < h->nic_count; i++)
        if (!host_nic_of(h, i)->off && nic_has(host_nic_of(h, i), a)) {
            *nic = i;
            return true;
        }
    return false;
}

bool host_owns(const struct host *h, const struct addr *a) {
    for (uint32_t i = 0; i < h->nic_count; i++)
        if (!host_nic_of(h, i)->off && nic_owns(host_nic_of(h, i), a))
            return true;
    return false;
}
