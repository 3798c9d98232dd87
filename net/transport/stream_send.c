/* stream_send.c: the sending half of a stream: bytes kept until they are acknowledged
 * (net/transport/stream.h). */
#include "net/transport/stream.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"

void sstream_init(struct sstream *s, uint64_t credit) {
    *s = (struct sstream){.credit = credit};
    ranges_init(&s->acked, STREAM_RANGES_MAX * 8);
    ranges_init(&s->lost, STREAM_RANGES_MAX * 8);
}

static struct span *span_at(const struct sstream *s, uint32_t i) {
    return &s->spans[(s->head + i) & (s->cap - 1)];
}

static void drop_spans(struct sstream *s) {
    for (uint32_t i = 0; i < s->count; i++)
        block_put(span_at(s, i)->block);
    s->count = 0;
}

void sstream_clear(struct sstream *s) {
    drop_spans(s);
    mem_free(s->spans);
    ranges_clear(&s->acked);
    ranges_clear(&s->lost);
    *s = (struct sstream){0};
}

int sstream_push(struct sstream *s, struct span span) {
    if (s->count == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 4;
        struct span *v = mem_alloc(cap * sizeof *v);
        if (!v)
            return ERR_NOMEM;
        for (uint32_t i = 0; i < s->count; i++)
            v[i] = *span_at(s, i);
        mem_free(s->spans);
        s->spans = v;
        s->cap = cap;
        s->head = 0;
    }
    s->count++;
    *span_at(s, s->count - 1) = span;
    s->end += span.len;
    return 0;
}

uint8_t *sstream_tail(struct sstream *s, size_t *len) {
    if (s->count == 0)
        return NULL;
    struct span *last = span_at(s, s->count - 1);
    struct block *b = last->block;
    if (b->refs != 1 || last->offset + last->len != b->len || b->len == b->cap)
        return NULL;
    size_t room = b->cap - b->len;
    if (*len > room)
        *len = room;
    uint8_t *at = b->data + b->len;
    b->len += (uint32_t)*len;
    last->len += (uint32_t)*len;
    s->end += *len;
    return at;
}

bool sstream_next(const struct sstream *s, uint64_t *offset, uint64_t *len, bool *fin) {
    if (s->reset)
        return false;
    if (!ranges_empty(&s->lost)) {
        struct range r = ranges_at(&s->lost, 0);
        *offset = r.lo;
        *len = r.hi - r.lo;
        *fin = s->fin && r.hi == s->end;
        return true;
    }
    uint64_t limit = s->end < s->credit ? s->end : s->credit;
    if (s->next < limit) {
        *offset = s->next;
        *len = limit - s->next;
        *fin = s->fin && limit == s->end;
        return true;
    }
    if (s->fin && s->next == s->end && (!s->fin_sent || s->fin_lost)) {
        *offset = s->end;
        *len = 0;
        *fin = true;
        return true;
    }
    return false;
}

/* The span that holds `offset`, by binary search over start offsets would need them stored; spans
 * are few (64 KiB each) and the newest are asked for most, so walk from whichever end is nearer. */
void sstream_copy(const struct sstream *s, uint64_t offset, uint8_t *out, size_t len) {
    assert(offset >= s->first && offset + len <= s->end);
    if (len == 0)
        return;
    uint32_t i;
    uint64_t at;
    if (offset - s->first < s->end - offset) {
        for (i = 0, at = s->first; at + span_at(s, i)->len <= offset; i++)
            at += span_at(s, i)->len;
    } else {
        for (i = s->count - 1, at = s->end - span_at(s, i)->len; at > offset;
             at -= span_at(s, i)->len)
            i--;
    }
    while (len > 0) {
        const struct span *p = span_at(s, i);
        size_t skip = (size_t)(offset - at);
        size_t n = p->len - skip < len ? p->len - skip : len;
        memcpy(out, p->block->data + p->offset + skip, n);
        out += n;
        offset += n;
        len -= n;
        at += p->len;
        i++;
    }
}

uint64_t sstream_sent(struct sstream *s, uint64_t offset, uint64_t len, bool fin) {
    uint64_t fresh = 0;
    if (offset + len > s->next) {
        fresh = offset + len - s->next;
        s->next = offset + len;
    } else if (len > 0 && ranges_remove(&s->lost, offset, offset + len)) {
        /* Splitting failed: it stays queued and goes once more than needed. */
    }
    if (fin) {
        s->fin_sent = true;
        s->fin_lost = false;
    }
    return fresh;
}

static void release(struct sstream *s) {
    if (ranges_empty(&s->acked))
        return;
    struct range r = ranges_at(&s->acked, 0);
    if (r.lo > s->first)
        return;
    while (s->count > 0 && s->first + span_at(s, 0)->len <= r.hi) {
        s->first += span_at(s, 0)->len;
        block_put(span_at(s, 0)->block);
        s->head = (s->head + 1) & (s->cap - 1);
        s->count--;
    }
    /* What a full table could not take out of `lost` is gone with its bytes. */
    ranges_drop_below(&s->lost, s->first);
}

void sstream_acked(struct sstream *s, uint64_t offset, uint64_t len, bool fin) {
    if (s->reset)
        return;
    if (fin) {
        s->fin_acked = true;
        s->fin_lost = false;
    }
    if (len == 0)
        return;
    if (ranges_add(&s->acked, offset, offset + len)) {
        /* No room to remember it: send it again rather than lose track. */
        sstream_lost(s, offset, len, false);
        return;
    }
    if (!ranges_empty(&s->lost) && ranges_remove(&s->lost, offset, offset + len)) {
        /* Stays queued; the receiver drops what it has. */
    }
    release(s);
}

void sstream_lost(struct sstream *s, uint64_t offset, uint64_t len, bool fin) {
    if (s->reset)
        return;
    if (fin && !s->fin_acked)
        s->fin_lost = true;
    uint64_t lo = offset, hi = offset + len;
    struct range gap;
    while (lo < hi && ranges_first_gap(&s->acked, lo, hi, &gap)) {
        if (ranges_add(&s->lost, gap.lo, gap.hi)) {
            /* Too many holes: one covering interval. Bytes go again that need not, none is
             * forgotten. */
            struct range first = ranges_at(&s->lost, 0);
            uint64_t from = first.lo < gap.lo ? first.lo : gap.lo;
            ranges_clear(&s->lost);
            if (from < s->first)
                from = s->first;
            int err = ranges_add(&s->lost, from, s->next);
            assert(!err); /* one interval always fits */
            (void)err;
            return;
        }
        lo = gap.hi;
    }
}

bool sstream_done(const struct sstream *s) {
    if (s->reset)
        return s->reset_acked;
    return s->fin_acked && (s->end == 0 || ranges_covers(&s->acked, 0, s->end));
}

void sstream_reset(struct sstream *s, int err) {
    if (s->reset)
        return;
    s->reset = true;
    s->reset_err = err;
    drop_spans(s);
    s->first = s->end;
    ranges_clear(&s->lost);
}
