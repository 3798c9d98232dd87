/* relay_quota.h: how much each id has sent today. A day is 24 hours of the relay's clock, the same
 * for all; an id keeps its count when its session ends and another begins. Of a full table
 * (RELAY_QUOTA_IDS_MAX) one of those looked at that has sent least gives way: who has sent much is
 * remembered. Value struct; all zeroes but the secret is empty.
 */
#ifndef MESHD_NET_RELAY_RELAY_QUOTA_H
#define MESHD_NET_RELAY_RELAY_QUOTA_H

#include "crypto/identity/identity.h"
#include "net/relay/relay_index.h"

#define RELAY_DAY_US (UINT64_C(86400) * 1000000)
enum { RELAY_QUOTA_IDS_MAX = 1 << 17, RELAY_QUOTA_LOOKS = 8 };

struct relay_quota {
    struct relay_index by_id; /* set its secret */
    struct relay_quota_entry *list;
    uint32_t count, cap, hand; /* where the next one is looked for that gives way */
    uint64_t day;
};

void relay_quota_clear(struct relay_quota *q);
/* What it has sent today. */
uint64_t relay_quota_used(const struct relay_quota *q, uint64_t now_us, const struct node_id *id);
/* It has sent so much more. Without memory it is not counted. */
void relay_quota_add(struct relay_quota *q, uint64_t now_us, const struct node_id *id,
                     uint64_t bytes);
size_t relay_quota_memory(const struct relay_quota *q);

#endif
