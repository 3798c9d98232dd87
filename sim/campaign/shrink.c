#include "sim/campaign/shrink.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

/* ---- ddmin ---- */

/* Tries without items [from, to) of those that are in (counted among them). True: they are gone. */
static bool try_without(bool *keep, unsigned count, unsigned from, unsigned to,
                        bool (*test)(void *ctx), void *ctx) {
    bool *before = mem_alloc(count);
    if (!before)
        abort();
    memcpy(before, keep, count);
    unsigned in = 0;
    for (unsigned i = 0; i < count; i++)
        if (before[i]) {
            if (in >= from && in < to)
                keep[i] = false;
            in++;
        }
    const bool ok = test(ctx);
    if (!ok)
        memcpy(keep, before, count);
    mem_free(before);
    return ok;
}

static unsigned size_of(const bool *keep, unsigned count) {
    unsigned n = 0;
    for (unsigned i = 0; i < count; i++)
        n += keep[i];
    return n;
}

void shrink_ddmin(bool *keep, unsigned count, bool (*test)(void *ctx), void *ctx) {
    unsigned parts = 2, n = size_of(keep, count);
    while (n > 0) {
        bool smaller = false;
        for (unsigned i = 0; i < parts && !smaller; i++) {
            const unsigned from = (unsigned)((unsigned long)n * i / parts),
                           to = (unsigned)((unsigned long)n * (i + 1) / parts);
            smaller = to > from && try_without(keep, count, from, to, test, ctx);
        }
        n = size_of(keep, count);
        if (smaller)
            parts = parts > 2 ? parts - 1 : 2;
        else if (parts >= n)
            break;
        else
            parts = 2 * parts < n ? 2 * parts : n;
    }
}

/* ---- a scenario as lines ---- */

struct lines {
    struct shrinker *s;
    char **line;
    bool *keep;
    unsigned count;
    uint32_t line_cap, keep_cap;
    unsigned fixed; /* from this one on they stay as they are */
};

static void lines_clear(struct lines *l) {
    for (unsigned i = 0; i < l->count; i++)
        mem_free(l->line[i]);
    mem_free(l->line);
    mem_free(l->keep);
    l->line = NULL;
    l->keep = NULL;
    l->count = 0;
    l->line_cap = l->keep_cap = 0;
}

static char *copy(const char *p, size_t len) {
    char *c = mem_alloc(len + 1);
    if (!c)
        abort();
    memcpy(c, p, len);
    c[len] = '\0';
    return c;
}

/* Statements: a line each, without comments and blanks around. */
static void lines_read(struct lines *l, const char *text) {
    while (*text) {
        if (l->s->keep_marked && strncmp(text, "#! keep", 7) == 0)
            l->fixed = l->count;
        const size_t len = strcspn(text, ";\n#");
        size_t from = 0, to = len;
        while (from < to && isspace((unsigned char)text[from]))
            from++;
        while (to > from && isspace((unsigned char)text[to - 1]))
            to--;
        if (to > from) {
            grow(&l->line, &l->line_cap, l->count + 1, sizeof *l->line);
            grow(&l->keep, &l->keep_cap, l->count + 1, sizeof *l->keep);
            l->line[l->count] = copy(text + from, to - from);
            l->keep[l->count++] = true;
        }
        text += len;
        if (*text == '#' && strncmp(text, "#! keep", 7) == 0 && len > 0)
            continue;
        if (*text == '#')
            text += strcspn(text, "\n");
        if (*text)
            text++;
    }
}

static void lines_write(const struct lines *l, struct text *out) {
    for (unsigned i = 0; i < l->count; i++) {
        if (i == l->fixed)
            text_add(out, "#! keep\n");
        if (l->keep[i])
            text_add(out, "%s\n", l->line[i]);
    }
}

static unsigned loose(const struct lines *l) {
    return l->fixed < l->count ? l->fixed : l->count;
}

static bool still_fails(void *ctx) {
    const struct lines *l = ctx;
    struct text t = {0};
    if (l->s->budget == 0)
        return false;
    l->s->budget--;
    lines_write(l, &t);
    const bool yes = l->s->fails(l->s->ctx, text_of(&t));
    text_clear(&t);
    return yes;
}

/* Puts another text in place of a line if it still fails so. */
static bool replace(struct lines *l, unsigned i, const char *with) {
    char *before = l->line[i];
    l->line[i] = copy(with, strlen(with));
    if (still_fails(l)) {
        mem_free(before);
        return true;
    }
    mem_free(l->line[i]);
    l->line[i] = before;
    return false;
}

/* ---- fewer hosts: "n[1..8]" becomes "n[1..4]" everywhere, so that all lines agree ---- */

static char *with_range(const char *line, const char *name, size_t name_len, unsigned long was,
                        unsigned long is) {
    char old[80], new[80];
    (void)snprintf(old, sizeof old, "%.*s[1..%lu]", (int)name_len, name, was);
    (void)snprintf(new, sizeof new, "%.*s[1..%lu]", (int)name_len, name, is);
    struct text t = {0};
    const char *p = line, *at;
    while ((at = strstr(p, old)) != NULL) {
        text_add(&t, "%.*s%s", (int)(at - p), p, new);
        p = at + strlen(old);
    }
    text_add(&t, "%s", p);
    return t.p;
}

static bool narrow(struct lines *l, const char *name, size_t name_len, unsigned long was,
                   unsigned long is) {
    char **before = l->line;
    l->line = mem_calloc(l->line_cap, sizeof *l->line);
    if (!l->line)
        abort();
    for (unsigned i = 0; i < l->count; i++)
        l->line[i] = with_range(before[i], name, name_len, was, is);
    const bool ok = still_fails(l);
    char **drop = ok ? before : l->line;
    if (!ok)
        l->line = before;
    for (unsigned i = 0; i < l->count; i++)
        mem_free(drop[i]);
    mem_free(drop);
    return ok;
}

static bool fewer_hosts(struct lines *l) {
    bool any = false;
    for (unsigned i = 0; i < l->count; i++) {
        const char *open =
            l->keep[i] && strncmp(l->line[i], "node ", 5) == 0 ? strstr(l->line[i], "[1..") : NULL;
        if (!open)
            continue;
        const char *name = open;
        while (name > l->line[i] && !isspace((unsigned char)name[-1]))
            name--;
        const size_t len = (size_t)(open - name);
        const unsigned long was = strtoul(open + 4, NULL, 10);
        char *kept = copy(name, len);
        for (unsigned long is = 1; is < was; is = is * 2 < was || is + 1 == was ? is * 2 : was - 1)
            if (narrow(l, kept, len, was, is)) {
                any = true;
                break;
            }
        mem_free(kept);
    }
    return any;
}

/* ---- smaller numbers ---- */

/* Every number of a line, halved or made round, one at a time. */
static bool smaller_numbers(struct lines *l, unsigned i) {
    bool any = false;
    if (strncmp(l->line[i], "seed", 4) == 0 || strncmp(l->line[i], "expect", 6) == 0 ||
        strncmp(l->line[i], "lose", 4) == 0)
        return false;
    for (size_t at = 0; l->line[i][at];) {
        const char *line = l->line[i];
        const size_t digits = strspn(line + at, "0123456789");
        const bool alone = at > 0 && !isalnum((unsigned char)line[at - 1]) && line[at - 1] != '.' &&
                           line[at - 1] != '[';
        if (digits == 0 || digits > 15 || !alone) {
            at += digits ? digits : 1;
            continue;
        }
        const unsigned long long n = strtoull(line + at, NULL, 10);
        const unsigned long long half = n > 1 ? n / 2 : n;
        struct text t = {0};
        text_add(&t, "%.*s%llu%s", (int)at, line, half, line + at + digits);
        const bool ok = half != n && replace(l, i, text_of(&t));
        text_clear(&t);
        any = any || ok;
        if (!ok)
            at += digits;
    }
    return any;
}

/* ---- words of a line: a host, a key=value, an option ---- */

static bool fewer_words(struct lines *l, unsigned i) {
    bool any = false;
    for (unsigned word = 1;; word++) {
        const char *line = l->line[i];
        const char *p = line;
        for (unsigned k = 0; k < word && *p; k++) {
            p += strcspn(p, " ");
            p += strspn(p, " ");
        }
        if (!*p)
            return any;
        const size_t len = strcspn(p, " ");
        struct text t = {0};
        text_add(&t, "%.*s%s", (int)(p - line), line, p + len + strspn(p + len, " "));
        while (t.len > 0 && t.p[t.len - 1] == ' ')
            t.p[--t.len] = '\0';
        if (replace(l, i, text_of(&t))) {
            any = true;
            word--;
        }
        text_clear(&t);
    }
}

/* ---- random loss becomes a list ---- */

struct numbers { /* of one "lose" line */
    struct lines *l;
    unsigned line, count;
    char *head;
    char **number;
    bool *keep;
    uint32_t number_cap, keep_cap;
};

static void numbers_write(const struct numbers *n, struct text *out) {
    text_add(out, "%s", n->head);
    for (unsigned i = 0; i < n->count; i++)
        if (n->keep[i])
            text_add(out, " %s", n->number[i]);
}

static bool numbers_fail(void *ctx) {
    struct numbers *n = ctx;
    struct text t = {0};
    bool any = false;
    for (unsigned i = 0; i < n->count; i++)
        any = any || n->keep[i];
    numbers_write(n, &t);
    char *before = n->l->line[n->line];
    const bool was = n->l->keep[n->line];
    n->l->line[n->line] = t.p;
    n->l->keep[n->line] = any;
    const bool ok = still_fails(n->l);
    n->l->line[n->line] = before;
    n->l->keep[n->line] = was;
    mem_free(t.p);
    return ok;
}

static void fewer_packets(struct lines *l, unsigned i) {
    struct numbers n = {.l = l, .line = i};
    char *line = copy(l->line[i], strlen(l->line[i]));
    char *save = NULL;
    unsigned word = 0;
    for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save), word++) {
        if (word < 3)
            continue;
        grow(&n.number, &n.number_cap, n.count + 1, sizeof *n.number);
        grow(&n.keep, &n.keep_cap, n.count + 1, sizeof *n.keep);
        n.number[n.count] = w;
        n.keep[n.count++] = true;
    }
    const char *p = l->line[i];
    for (unsigned k = 0; k < 3; k++) {
        p += strcspn(p, " ");
        p += strspn(p, " ");
    }
    n.head = copy(l->line[i], (size_t)(p - l->line[i]) - (p > l->line[i] && p[-1] == ' '));
    shrink_ddmin(n.keep, n.count, numbers_fail, &n);
    struct text t = {0};
    numbers_write(&n, &t);
    bool any = false;
    for (unsigned k = 0; k < n.count; k++)
        any = any || n.keep[k];
    l->keep[i] = any;
    mem_free(l->line[i]);
    l->line[i] = t.p;
    mem_free(n.head);
    mem_free(n.number);
    mem_free(n.keep);
    mem_free(line);
}

/* All "loss=" and "burst=" go, and the packets they took come as "lose" lines. */
static void loss_to_packets(struct lines *l) {
    struct text now = {0}, list = {0};
    struct lines next = {.s = l->s, .fixed = UINT_MAX};
    unsigned fixed = UINT_MAX;
    lines_write(l, &now);
    l->s->losses(l->s->ctx, text_of(&now), &list);
    for (unsigned i = 0; i < l->count && list.len > 0; i++) {
        if (i == l->fixed)
            fixed = next.count;
        if (!l->keep[i])
            continue;
        struct text t = {0};
        for (const char *p = l->line[i]; *p;) {
            const size_t len = strcspn(p, " ");
            if (i >= l->fixed || (strncmp(p, "loss", 4) != 0 && strncmp(p, "burst", 5) != 0))
                text_add(&t, "%s%.*s", t.len ? " " : "", (int)len, p);
            p += len + strspn(p + len, " ");
        }
        lines_read(&next, text_of(&t));
        text_clear(&t);
    }
    const unsigned first = next.count;
    next.fixed = fixed;
    if (list.len > 0)
        lines_read(&next, text_of(&list));
    if (next.count > 0 && still_fails(&next)) {
        for (unsigned i = first; i < next.count; i++)
            fewer_packets(&next, i);
        struct lines old = *l;
        *l = next;
        next = old;
    }
    lines_clear(&next);
    text_clear(&now);
    text_clear(&list);
}

/* ---- the whole ---- */

static bool by_lines(struct lines *l) {
    const unsigned before = size_of(l->keep, l->count);
    shrink_ddmin(l->keep, loose(l), still_fails, l);
    return size_of(l->keep, l->count) < before;
}

static bool by_words(struct lines *l) {
    bool any = false;
    for (unsigned i = 0; i < loose(l); i++)
        if (l->keep[i])
            any = fewer_words(l, i) || any;
    return any;
}

static bool by_numbers(struct lines *l) {
    bool any = false;
    for (unsigned i = 0; i < loose(l); i++)
        if (l->keep[i])
            any = smaller_numbers(l, i) || any;
    return any;
}

void shrink(struct shrinker *s, const char *text, struct text *out) {
    struct lines l = {.s = s, .fixed = UINT_MAX};
    lines_read(&l, text);
    for (bool more = true; more && s->budget > 0;) {
        more = by_lines(&l);
        more = fewer_hosts(&l) || more;
        more = by_words(&l) || more;
        more = by_numbers(&l) || more;
    }
    if (s->losses && s->budget > 0)
        loss_to_packets(&l);
    (void)by_lines(&l);
    lines_write(&l, out);
    lines_clear(&l);
}
