#include "net/recovery/sent.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"

void sent_init(struct sent *s, uint64_t next_pn) {
    *s = (struct sent){.base = next_pn, .next = next_pn};
    ranges_init(&s->acked, SENT_ACKED_RANGES_MAX);
}

void sent_clear(struct sent *s) {
    mem_free(s->ring);
    ranges_clear(&s->acked);
    if (s->all)
        s->all->used -= s->cap;
    *s = (struct sent){0};
}

static struct sent_pkt *slot(const struct sent *s, uint64_t pn) {
    return &s->ring[pn & (s->cap - 1)];
}

static int grow(struct sent *s, uint64_t need) {
    uint32_t cap = s->cap ? s->cap : SENT_RING_FIRST;
    while (cap < need)
        cap *= 2;
    const uint32_t more = cap - s->cap;
    if (cap > SENT_PKTS_MAX || (s->all && !share_allows(s->all, s->cap, more, SENT_SURE_PKTS, 1)))
        return ERR_FULL;
    struct sent_pkt *ring = mem_calloc(cap, sizeof *ring);
    if (!ring)
        return ERR_NOMEM;
    for (uint64_t pn = s->base; pn < s->next; pn++)
        ring[pn & (cap - 1)] = *slot(s, pn);
    mem_free(s->ring);
    s->ring = ring;
    s->cap = cap;
    if (s->all)
        s->all->used += more;
    return 0;
}

int sent_add(struct sent *s, uint64_t pn, struct sent_pkt **out) {
    assert(pn >= s->next);
    if (s->base == s->next) /* empty: no need to remember the numbers between */
        s->base = s->next = pn;
    uint64_t need = pn + 1 - s->base;
    if (need > s->cap) {
        int err = grow(s, need);
        if (err == ERR_FULL) { /* room is worth more than knowing late that a loss was false */
            sent_trim(s, UINT64_MAX);
            if (s->base == s->next)
                s->base = s->next = pn;
            need = pn + 1 - s->base;
            err = need <= s->cap ? 0 : grow(s, need);
        }
        if (err)
            return err;
    }
    for (uint64_t n = s->next; n < pn; n++)
        slot(s, n)->state = SENT_NONE;
    struct sent_pkt *p = slot(s, pn);
    memset(p, 0, sizeof *p);
    p->pn = pn;
    p->state = SENT_OUTSTANDING;
    s->next = pn + 1;
    s->outstanding++;
    *out = p;
    return 0;
}

void sent_undo(struct sent *s) {
    assert(s->next > s->base);
    slot(s, s->next - 1)->state = SENT_NONE;
    s->next--;
    s->outstanding--;
}

struct sent_pkt *sent_get(const struct sent *s, uint64_t pn) {
    if (pn < s->base || pn >= s->next)
        return NULL;
    struct sent_pkt *p = slot(s, pn);
    return p->state == SENT_NONE ? NULL : p;
}

bool sent_next_acked(struct sent *s, uint64_t lo, uint64_t hi, uint64_t *pn) {
    if (lo < s->base)
        lo = s->base;
    if (hi > s->next)
        hi = s->next;
    struct range gap;
    while (lo < hi && ranges_first_gap(&s->acked, lo, hi, &gap)) {
        for (uint64_t n = gap.lo; n < gap.hi; n++) {
            const struct sent_pkt *p = sent_get(s, n);
            if (p && p->state != SENT_ACKED) {
                /* Everything walked over holds nothing to settle: remember that, too. */
                if (ranges_add(&s->acked, gap.lo, n + 1))
                    ranges_drop_below(&s->acked, s->base);
                *pn = n;
                return true;
            }
        }
        if (ranges_add(&s->acked, gap.lo, gap.hi))
            ranges_drop_below(&s->acked, s->base);
        lo = gap.hi;
    }
    return false;
}

void sent_trim(struct sent *s, uint64_t lost_before_us) {
    while (s->base < s->next) {
        struct sent_pkt *p = slot(s, s->base);
        if (p->state == SENT_OUTSTANDING)
            break;
        if (p->state == SENT_LOST && p->lost_us >= lost_before_us)
            break;
        s->base++;
    }
    ranges_drop_below(&s->acked, s->base);
}
