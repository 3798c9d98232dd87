#include "node/api/prose.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "node/api/script.h"
#include "node/api/utf8.h"

enum {
    TAB = 0x09,
    ALM = 0x061c,
    ZWSP = 0x200b,
    ZWNJ = 0x200c,
    ZWJ = 0x200d,
    LRM = 0x200e,
    RLM = 0x200f,
    LRE = 0x202a,
    RLE = 0x202b,
    PDF = 0x202c,
    LRO = 0x202d,
    RLO = 0x202e,
    LRI = 0x2066,
    FSI = 0x2068,
    PDI = 0x2069,
    VS16 = 0xfe0f,
    BLACK_FLAG = 0x1f3f4,
    CANCEL_TAG = 0xe007f,
};

struct sink {
    char *out;
    size_t cap, used, total;
};

static void put(struct sink *s, const char *piece, size_t len) {
    /* Once something was cut nothing follows it, or the text would have a hole. */
    if (s->used == s->total && s->used + len < s->cap) {
        memcpy(s->out + s->used, piece, len);
        s->used += len;
    }
    s->total += len;
}

/* ---- direction ---- */

static bool is_mark(uint32_t cp) {
    return cp == LRM || cp == RLM || cp == ALM;
}
static bool is_nesting(uint32_t cp) {
    return (cp >= LRE && cp <= RLO) || (cp >= LRI && cp <= PDI);
}

struct nesting {
    uint32_t ends[PROSE_DEPTH_MAX]; /* what each open one is closed by */
    unsigned depth;
    bool broken;
};

static void nest(struct nesting *n, uint32_t cp) {
    if (cp == LRO || cp == RLO) {
        n->broken = true;
    } else if (cp == PDF || cp == PDI) {
        if (n->depth > 0 && n->ends[n->depth - 1] == cp)
            n->depth--;
        else
            n->broken = true;
    } else if (n->depth == PROSE_DEPTH_MAX) {
        n->broken = true;
    } else {
        n->ends[n->depth++] = cp >= LRI ? PDI : PDF;
    }
}

struct line {
    const char *s;
    size_t len;
    bool rtl;      /* has a letter written from right to left */
    bool balanced; /* its embeddings and isolates may stay */
};

static void look_at(struct line *l) {
    struct nesting n = {.depth = 0};
    l->rtl = false;
    for (size_t at = 0, step; at < l->len; at += step ? step : 1) {
        uint32_t cp;
        step = utf8_read(l->s + at, l->len - at, &cp);
        if (step > 0 && is_nesting(cp))
            nest(&n, cp);
        l->rtl |= step > 0 && script_is_rtl(cp);
    }
    l->balanced = l->rtl && !n.broken && n.depth == 0;
}

/* ---- characters ---- */

/* The bytes of a flag that is spelt with tags at s[0..len), the cancel tag with them; or 0. */
static size_t tag_flag(const char *s, size_t len) {
    static const char *const regions[] = {"gbeng", "gbsct", "gbwls"};
    for (size_t r = 0; r < sizeof regions / sizeof *regions; r++) {
        static const char flag[] = "\xf0\x9f\x8f\xb4", cancel[] = "\xf3\xa0\x81\xbf";
        char spelt[4 * 7 + 1];
        int n = snprintf(spelt, sizeof spelt, "%s", flag);
        for (const char *c = regions[r]; *c; c++) /* U+E0061 for an "a", and so on */
            n += snprintf(spelt + n, sizeof spelt - (size_t)n, "\xf3\xa0\x81%c", *c + 0x40);
        snprintf(spelt + n, sizeof spelt - (size_t)n, "%s", cancel);
        if (len >= sizeof spelt - 1 && memcmp(s, spelt, sizeof spelt - 1) == 0)
            return sizeof spelt - 1;
    }
    return 0;
}

static bool joins(const struct line *l, size_t next_at, uint32_t prev) {
    uint32_t next = 0;
    (void)utf8_read(l->s + next_at, l->len - next_at, &next);
    bool emoji = script_is_emoji(prev) || prev == VS16 || prev == CANCEL_TAG;
    return (emoji && script_is_emoji(next)) || script_joins(prev);
}

/* The bytes at l->s + at that are shown as they are; 0: the first one, or its character, is
 * escaped. `prev` is the character before, 0 at the line's beginning or behind an escape. */
static size_t kept(const struct line *l, size_t at, uint32_t prev, uint32_t *cp) {
    size_t n = utf8_read(l->s + at, l->len - at, cp);
    if (n == 0)
        return 0;
    size_t flag = *cp == BLACK_FLAG ? tag_flag(l->s + at, l->len - at) : 0;
    if (flag > 0) {
        *cp = CANCEL_TAG;
        return flag;
    }
    bool stays;
    if (*cp == ZWJ)
        stays = joins(l, at + n, prev);
    else if (*cp == ZWNJ)
        stays = script_joins(prev);
    else if (*cp == ZWSP)
        stays = script_breaks(prev);
    else if (is_mark(*cp))
        stays = l->rtl;
    else if (is_nesting(*cp))
        stays = l->balanced;
    else
        stays = *cp == TAB || script_takes(prev, *cp) ||
                (*cp != VS16 && utf8_plain(*cp) && !script_is_inkless(*cp));
    return stays ? n : 0;
}

/* Whether a backslash before l->s + at would be read together with what follows. */
static bool would_escape(const struct line *l, size_t at) {
    uint32_t cp;
    if (at == l->len)
        return false;
    return strchr("xu\\", l->s[at]) != NULL || kept(l, at, '\\', &cp) == 0;
}

static void put_line(struct sink *s, const struct line *l) {
    uint32_t prev = 0, cp;
    for (size_t at = 0; at < l->len;) {
        char piece[16];
        size_t n = kept(l, at, prev, &cp);
        prev = n > 0 ? cp : 0;
        if (n > 0) {
            put(s, l->s + at, n);
            if (cp == '\\' && would_escape(l, at + 1))
                put(s, "\\", 1);
            at += n;
            continue;
        }
        n = utf8_read(l->s + at, l->len - at, &cp);
        bool byte = n == 0 || cp < 0x20 || cp == 0x7f;
        int len = byte ? snprintf(piece, sizeof piece, "\\x%02x", (unsigned)(uint8_t)l->s[at])
                       : snprintf(piece, sizeof piece, "\\u{%x}", (unsigned)cp);
        put(s, piece, (size_t)len);
        at += n ? n : 1;
    }
}

size_t prose_show(char *out, size_t cap, const char *in, size_t len, const char *indent) {
    struct sink s = {out, cap, 0, 0};
    for (size_t at = 0;; at++) {
        const char *nl = at < len ? memchr(in + at, '\n', len - at) : NULL;
        size_t n = nl ? (size_t)(nl - (in + at)) : len - at;
        struct line l = {.s = in + at, .len = nl && n > 0 && nl[-1] == '\r' ? n - 1 : n};
        look_at(&l);
        put_line(&s, &l);
        if (!nl)
            break;
        put(&s, "\n", 1);
        put(&s, indent, strlen(indent));
        at += n;
    }
    if (cap > 0)
        out[s.used] = '\0';
    return s.total;
}
