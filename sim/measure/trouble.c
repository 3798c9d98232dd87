#include "sim/measure/trouble.h"

#include <stdlib.h>

#include "crypto/base/mem.h"
#include "node/peer/dial.h"
#include "sim/memory/grow.h"

static const uint64_t ns_per_s = 1000000000;

enum {
    /* A session notices that its peer is gone, or has come back, within this. */
    NOTICE_S = 30,
    /* What is shorter than this excuses nothing: loss recovery and repeated handshakes stand it. */
    SHORT_S = 3,
    /* What is asked so shortly before the end of the run need not be done by then. */
    LATE_S = 10,
};

#define BIT(kind) (1u << (kind))
enum {
    ALL = BIT(DEMAND_CONNECT) | BIT(DEMAND_PING) | BIT(DEMAND_MESSAGE) | BIT(DEMAND_TRANSFER) |
          BIT(DEMAND_PAIR)
};

static const struct {
    const char *why;
    unsigned excuses; /* kinds of work */
    unsigned after_s; /* as long after it has ended, too */
    bool brief;       /* also when it is shorter than SHORT_S */
} rules[TROUBLES] = {
    [TROUBLE_DOWN] = {"its node was not running", ALL, NOTICE_S, true},
    [TROUBLE_PAUSED] = {"it was asleep or busy", ALL, NOTICE_S, false},
    [TROUBLE_MOVED] = {"its address was another", BIT(DEMAND_CONNECT) | BIT(DEMAND_PING), NOTICE_S,
                       true},
    [TROUBLE_DISK] = {"its disk was full or failing", BIT(DEMAND_TRANSFER), NOTICE_S, true},
    [TROUBLE_STORE] = {"its store failed",
                       BIT(DEMAND_MESSAGE) | BIT(DEMAND_PAIR) | BIT(DEMAND_TRANSFER), NOTICE_S,
                       true},
    [TROUBLE_HOSTILE] = {"it was hostile", ALL, NOTICE_S, true},
    [TROUBLE_LINE] = {"its line carried next to nothing", ALL, NOTICE_S, false},
    [TROUBLE_WIPED] = {"it has lost everything", ALL, 0, true},
    [TROUBLE_POLICY] = {"its policy of paths was changed", BIT(DEMAND_PING), 0, true},
    [TROUBLE_CUT] = {"the two were cut off from each other", ALL, NOTICE_S, false},
};

void troubles_clear(struct troubles *t) {
    mem_free(t->list);
    faults_clear(&t->cuts);
    *t = (struct troubles){0};
}

static struct trouble *lasting(struct troubles *t, enum trouble_kind kind, uint32_t host) {
    for (uint32_t i = t->count; i-- > 0;)
        if (t->list[i].kind == kind && t->list[i].host == host && t->list[i].until_ns == UINT64_MAX)
            return &t->list[i];
    return NULL;
}

static void add(struct troubles *t, const struct trouble *x) {
    grow(&t->list, &t->cap, t->count + 1, sizeof *t->list);
    t->list[t->count++] = *x;
}

void trouble_begin(struct troubles *t, enum trouble_kind kind, uint32_t host, uint64_t now_ns) {
    if (!lasting(t, kind, host))
        add(t, &(struct trouble){kind, host, now_ns, UINT64_MAX});
}

void trouble_end(struct troubles *t, enum trouble_kind kind, uint32_t host, uint64_t now_ns) {
    struct trouble *x = lasting(t, kind, host);
    if (x)
        x->until_ns = now_ns;
}

void trouble_moment(struct troubles *t, enum trouble_kind kind, uint32_t host, uint64_t now_ns) {
    add(t, &(struct trouble){kind, host, now_ns, now_ns});
}

/* Loss recovery and repeated handshakes stand what is short. But who has just begun something and
 * hears nothing at all is told so already after DIAL_PATIENCE_US: then it is enough to have filled
 * most of that. */
static bool too_short(uint64_t from_ns, uint64_t end_ns, uint64_t since_ns, uint64_t now_ns) {
    static const uint64_t patience_ns = (uint64_t)DIAL_PATIENCE_US * 1000;
    const uint64_t waited_ns = now_ns - since_ns;
    const uint64_t within_ns = end_ns - (from_ns > since_ns ? from_ns : since_ns);
    if (end_ns - from_ns >= SHORT_S * ns_per_s)
        return false;
    return waited_ns < patience_ns || waited_ns > 2 * patience_ns || end_ns < since_ns ||
           within_ns < patience_ns / 4 * 3;
}

/* Whether something of this kind and span excuses what began at `since` and ended now. */
static bool excuses(enum trouble_kind kind, uint64_t from_ns, uint64_t until_ns,
                    const struct demand_item *item, uint64_t since_ns, uint64_t now_ns) {
    const uint64_t end_ns = until_ns < now_ns ? until_ns : now_ns;
    if (!(rules[kind].excuses & BIT(item->kind)))
        return false;
    if (!rules[kind].brief && item->kind != DEMAND_PING &&
        too_short(from_ns, end_ns, since_ns, now_ns))
        return false;
    return from_ns <= now_ns &&
           (until_ns == UINT64_MAX || until_ns + rules[kind].after_s * ns_per_s >= since_ns);
}

static const char *why(const struct troubles *t, const struct demand_item *item, uint64_t since_ns,
                       uint64_t now_ns) {
    for (uint32_t i = 0; i < t->count; i++) {
        const struct trouble *x = &t->list[i];
        if ((x->host == item->from || x->host == item->to) &&
            excuses(x->kind, x->from_ns, x->until_ns, item, since_ns, now_ns))
            return rules[x->kind].why;
    }
    for (uint32_t i = 0; i < t->cuts.count && !item->relayed; i++) {
        const struct fault *f = &t->cuts.list[i];
        if ((fault_between(f, item->from, item->to) || fault_between(f, item->to, item->from)) &&
            excuses(TROUBLE_CUT, f->from_ns, f->until_ns, item, since_ns, now_ns))
            return rules[TROUBLE_CUT].why;
    }
    return item->impossible;
}

bool trouble_was(const struct troubles *t, uint32_t host, uint64_t since_ns) {
    for (uint32_t i = 0; i < t->count; i++)
        if (t->list[i].host == host && t->list[i].until_ns >= since_ns)
            return true;
    return false;
}

bool trouble_cut(const struct troubles *t, uint32_t a, uint32_t b, uint64_t since_ns) {
    for (uint32_t i = 0; i < t->cuts.count; i++) {
        const struct fault *f = &t->cuts.list[i];
        if (f->until_ns >= since_ns && (fault_between(f, a, b) || fault_between(f, b, a)))
            return true;
    }
    return false;
}

const char *trouble_excuse(const struct troubles *t, const struct demand_item *item,
                           uint64_t now_ns) {
    return why(t, item, item->asked_ns, now_ns);
}

/* A message waits as long as it must: only what hinders it at the end counts. The others have been
 * tried all the time. */
const char *trouble_excuse_undone(const struct troubles *t, const struct demand_item *item,
                                  uint64_t now_ns) {
    const bool waits = item->kind == DEMAND_MESSAGE;
    if (item->asked_ns + LATE_S * ns_per_s > now_ns)
        return "it was asked shortly before the end";
    return why(t, item, waits ? now_ns : item->asked_ns, now_ns);
}
