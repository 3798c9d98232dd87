#include "net/relay/relay_quota.h"

#include <string.h>

#include "crypto/base/mem.h"

struct relay_quota_entry {
    struct node_id id;
    uint64_t bytes;
};

void relay_quota_clear(struct relay_quota *q) {
    relay_index_clear(&q->by_id);
    mem_free(q->list);
    *q = (struct relay_quota){0};
}

static uint32_t find(const struct relay_quota *q, const struct node_id *id) {
    const uint32_t hash = relay_index_hash(&q->by_id, id, sizeof *id);
    uint32_t at = 0, place;
    while ((place = relay_index_find(&q->by_id, hash, &at)) != RELAY_INDEX_NONE)
        if (node_id_equal(&q->list[place].id, id))
            break;
    return place;
}

static void begin_day(struct relay_quota *q, uint64_t day) {
    struct relay_index empty = {0};
    memcpy(empty.secret, q->by_id.secret, sizeof empty.secret);
    relay_index_clear(&q->by_id);
    mem_free(q->list);
    *q = (struct relay_quota){.by_id = empty, .day = day};
}

/* The place of one that has sent little, taken out of the index. */
static uint32_t give_way(struct relay_quota *q) {
    uint32_t least = q->hand;
    for (unsigned i = 0; i < RELAY_QUOTA_LOOKS; i++) {
        const uint32_t at = (q->hand + i) % q->count;
        if (q->list[at].bytes < q->list[least].bytes)
            least = at;
    }
    q->hand = (q->hand + RELAY_QUOTA_LOOKS) % q->count;
    const struct node_id *id = &q->list[least].id;
    relay_index_remove(&q->by_id, relay_index_hash(&q->by_id, id, sizeof *id), least);
    return least;
}

uint64_t relay_quota_used(const struct relay_quota *q, uint64_t now_us, const struct node_id *id) {
    if (q->day != now_us / RELAY_DAY_US)
        return 0;
    const uint32_t at = find(q, id);
    return at == RELAY_INDEX_NONE ? 0 : q->list[at].bytes;
}

void relay_quota_add(struct relay_quota *q, uint64_t now_us, const struct node_id *id,
                     uint64_t bytes) {
    if (q->day != now_us / RELAY_DAY_US)
        begin_day(q, now_us / RELAY_DAY_US);
    uint32_t at = find(q, id);
    if (at != RELAY_INDEX_NONE) {
        q->list[at].bytes += bytes;
        return;
    }
    const bool more =
        mem_grow(&q->list, &q->cap, q->count + 1, sizeof *q->list, RELAY_QUOTA_IDS_MAX);
    if (!more && q->count == 0)
        return;
    at = more ? q->count : give_way(q);
    /* Where one has given way there is room for it. */
    if (!relay_index_add(&q->by_id, relay_index_hash(&q->by_id, id, sizeof *id), at))
        return;
    q->list[at] = (struct relay_quota_entry){*id, bytes};
    q->count += more;
}

size_t relay_quota_memory(const struct relay_quota *q) {
    return q->cap * sizeof *q->list + relay_index_memory(&q->by_id);
}
