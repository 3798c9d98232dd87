#include "node/file/transfer/write_pace.h"

#include "crypto/base/mem.h"

void write_pace_clear(struct write_pace *p) {
    mem_free(p->gone);
    *p = (struct write_pace){0};
}

static uint64_t at_once_us(uint64_t now_us) {
    return now_us > 0 ? now_us : 1;
}

static bool spent_all(const struct write_pace *p, uint64_t now_us) {
    return p->spent_us > now_us + WRITE_PACE_BURST_US;
}

void write_pace_changed(struct write_pace *p, uint64_t now_us) {
    if (p->due_us)
        return;
    p->due_us = spent_all(p, now_us) ? p->spent_us - WRITE_PACE_BURST_US : at_once_us(now_us);
}

/* They are laid by in time, whatever was spent. */
void write_pace_numbered(struct write_pace *p, uint64_t now_us, uint64_t id) {
    if (id + WRITE_PACE_IDS / 2 > p->ids && !p->backoff_us)
        p->due_us = at_once_us(now_us);
}

void write_pace_gone(struct write_pace *p, uint64_t now_us, uint64_t id) {
    /* Without room it is found again at the next start. */
    if (mem_grow(&p->gone, &p->gone_cap, p->gone_count + 1, sizeof *p->gone, WRITE_PACE_GONE_MAX))
        p->gone[p->gone_count++] = id;
    write_pace_changed(p, now_us);
}

uint64_t write_pace_deadline_us(const struct write_pace *p) {
    return p->due_us ? p->due_us : UINT64_MAX;
}

bool write_pace_due(const struct write_pace *p, uint64_t now_us) {
    return p->due_us && p->due_us <= now_us;
}

uint64_t write_pace_ids(const struct write_pace *p, uint64_t now_us, uint64_t last_id) {
    const bool flood = p->spent_us >= now_us + WRITE_PACE_BURST_US;
    const uint64_t ahead = flood ? WRITE_PACE_IDS_FLOOD : WRITE_PACE_IDS;
    return last_id + ahead / 2 > p->ids ? last_id + ahead : p->ids;
}

void write_pace_written(struct write_pace *p, uint64_t now_us, uint64_t ids) {
    uint64_t from_us = p->spent_us > now_us ? p->spent_us : now_us;
    if (spent_all(p, now_us)) /* it was for numbers, and is paid for by how many they are */
        from_us = now_us + WRITE_PACE_BURST_US;
    mem_free(p->gone);
    *p = (struct write_pace){.spent_us = from_us + WRITE_PACE_US, .ids = ids};
}

bool write_pace_failed(struct write_pace *p, uint64_t now_us) {
    const bool first = !p->backoff_us;
    p->backoff_us = first ? WRITE_PACE_RETRY_US : p->backoff_us * 2;
    if (p->backoff_us > WRITE_PACE_RETRY_MAX_US)
        p->backoff_us = WRITE_PACE_RETRY_MAX_US;
    p->due_us = now_us + p->backoff_us;
    return first;
}
