#include "sim/scenario/patch.h"

#include <stdio.h>
#include <string.h>

#include "sim/text/quantity.h"
#include "sim/world/sim.h"

enum link_key {
    RATE,
    DELAY,
    QUEUE,
    MTU,
    LOSS,
    BURST,
    REORDER,
    DUPLICATE,
    CORRUPT,
    JITTER,
    ICMP,
    ECN,
    LINK_KEYS
};
enum disk_key { LATENCY, DISK_RATE, CAPACITY, READ_ERRORS, SYNC_ERRORS, DISK_KEYS };
enum { PART_BYTES = 64 };

static const char *const link_keys[LINK_KEYS] = {"rate",    "delay",  "queue",   "mtu",
                                                 "loss",    "burst",  "reorder", "dup",
                                                 "corrupt", "jitter", "icmp",    "ecn"};
static const char *const disk_keys[DISK_KEYS] = {"latency", "rate", "capacity", "read_errors",
                                                 "sync_errors"};

static int find_key(const char *const *keys, int count, const char *name) {
    for (int i = 0; i < count; i++)
        if (strcmp(keys[i], name) == 0)
            return i;
    return -1;
}

static const char *parse_u32(const char *text, enum quantity q, uint32_t *out) {
    uint64_t v;
    const char *wrong = quantity_parse(text, q, &v);
    if (!wrong && v > UINT32_MAX)
        wrong = "the number is too large";
    if (!wrong)
        *out = (uint32_t)v;
    return wrong;
}

/* Cuts text at '/': up to `max` parts. Returns how many there are, 0 if too many or too long. */
static unsigned split(const char *text, char parts[][PART_BYTES], unsigned max) {
    unsigned n = 0;
    for (;;) {
        const size_t len = strcspn(text, "/");
        if (n == max || len >= PART_BYTES)
            return 0;
        memcpy(parts[n], text, len);
        parts[n++][len] = '\0';
        if (!text[len])
            return n;
        text += len + 1;
    }
}

/* "64KiB", "100ms", "0" (unlimited), "1bdp(50ms)": so many times what the rate carries in 50 ms. */
static const char *parse_codel(const char *text, struct link_config *c);

static const char *parse_queue(const char *text, struct link_config *c) {
    const char *bdp = strstr(text, "bdp(");
    const size_t len = strlen(text);
    c->queue_bytes = c->queue_ns = c->codel_ns = 0;
    if (strncmp(text, "codel", 5) == 0)
        return parse_codel(text, c);
    if (!bdp) {
        if (!quantity_parse(text, QUANTITY_DURATION, &c->queue_ns))
            return NULL;
        return quantity_parse(text, QUANTITY_BYTES, &c->queue_bytes)
                   ? "a queue is a size (64KiB), a time (100ms) or like 1bdp(50ms)"
                   : NULL;
    }
    char times[PART_BYTES], span[PART_BYTES];
    const size_t head = (size_t)(bdp - text);
    if (text[len - 1] != ')' || head >= sizeof times - 1 || len - head - 5 >= sizeof span)
        return "a queue in bdp looks like 1bdp(50ms)";
    memcpy(times, text, head);
    times[head] = '\0';
    memcpy(span, bdp + 4, len - head - 5);
    span[len - head - 5] = '\0';
    uint64_t ppb = 0, ns;
    const char *wrong = quantity_parse(span, QUANTITY_DURATION, &ns);
    if (!wrong && head == 0)
        ppb = SIM_S;
    else if (!wrong) /* a duration in "s" is a decimal times 10^9 */
        wrong = quantity_parse(strcat(times, "s"), QUANTITY_DURATION, &ppb);
    if (wrong)
        return wrong;
    if (ppb > 1000 * SIM_S || ns > 1000 * SIM_S)
        return "the queue is too long";
    c->queue_ns = ppb / 1000 * ns / (SIM_S / 1000);
    return NULL;
}

/* "ENTER/LEAVE" or "ENTER/LEAVE/LOSS": probabilities per packet; all is lost in the bad state if
 * LOSS is not said. */
static const char *parse_burst(const char *text, struct link_config *c) {
    char parts[3][PART_BYTES];
    const unsigned n = split(text, parts, 3);
    if (n < 2)
        return "a burst is ENTER/LEAVE or ENTER/LEAVE/LOSS, probabilities per packet";
    const char *wrong = parse_u32(parts[0], QUANTITY_CHANCE, &c->burst_enter_ppb);
    if (!wrong)
        wrong = parse_u32(parts[1], QUANTITY_CHANCE, &c->burst_leave_ppb);
    c->burst_loss_ppb = DRAW_ALWAYS_PPB;
    return !wrong && n == 3 ? parse_u32(parts[2], QUANTITY_CHANCE, &c->burst_loss_ppb) : wrong;
}

static const char *parse_reorder(const char *text, struct link_config *c) {
    char parts[2][PART_BYTES];
    if (split(text, parts, 2) != 2)
        return "reorder is PROBABILITY/DELAY, like 1%/5ms";
    const char *wrong = parse_u32(parts[0], QUANTITY_CHANCE, &c->reorder_ppb);
    return wrong ? wrong : quantity_parse(parts[1], QUANTITY_DURATION, &c->reorder_ns);
}

/* "gauss(5ms)", "wifi(5ms)", "tail(5ms)", "none" */
static const char *parse_jitter(const char *text, struct link_config *c) {
    static const char *const kinds[] = {"none", "gauss", "wifi", "tail"};
    char span[PART_BYTES];
    const size_t head = strcspn(text, "("), len = strlen(text);
    c->jitter_ns = 0;
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i]) != head || strncmp(kinds[i], text, head) != 0)
            continue;
        c->jitter = (enum link_jitter)i;
        if (i == 0)
            return head == len ? NULL : "none stands alone";
        if (head == len || text[len - 1] != ')' || len - head - 2 >= sizeof span)
            break;
        memcpy(span, text + head + 1, len - head - 2);
        span[len - head - 2] = '\0';
        const char *wrong = quantity_parse(span, QUANTITY_DURATION, &c->jitter_ns);
        return !wrong && c->jitter_ns > 10 * SIM_S ? "too much jitter" : wrong;
    }
    return "a jitter is none, gauss(TIME), wifi(TIME) or tail(TIME)";
}

/* "codel" (5 ms target, 1000 packets), "codel(TARGET)": the queue may then hold up to a second. */
static const char *parse_codel(const char *text, struct link_config *c) {
    char span[PART_BYTES] = "5ms";
    const size_t len = strlen(text);
    if (len > 7 && len < sizeof span && text[5] == '(' && text[len - 1] == ')') {
        memcpy(span, text + 6, len - 7);
        span[len - 7] = '\0';
    } else if (len != 5) {
        return "CoDel is codel or codel(5ms)";
    }
    c->queue_bytes = 0;
    c->queue_ns = SIM_S;
    return quantity_parse(span, QUANTITY_DURATION, &c->codel_ns);
}

static const char *parse_ecn(const char *text, struct link_config *c) {
    static const char *const kinds[] = {"off", "mark", "bleach", "blackhole"};
    const int found = find_key(kinds, sizeof kinds / sizeof *kinds, text);
    if (found < 0)
        return "ecn is off, mark, bleach or blackhole";
    c->ecn = (enum link_ecn)found;
    return NULL;
}

static const char *parse_link_value(int key, const char *text, struct link_config *c) {
    const char *wrong = NULL;
    switch ((enum link_key)key) {
    case RATE:
        return quantity_parse(text, QUANTITY_RATE, &c->rate_bps);
    case DELAY:
        return quantity_parse(text, QUANTITY_DURATION, &c->delay_ns);
    case QUEUE:
        return parse_queue(text, c);
    case MTU:
        wrong = parse_u32(text, QUANTITY_COUNT, &c->mtu_bytes);
        return !wrong && c->mtu_bytes > LINK_MTU_MAX_BYTES ? "an MTU is at most 65535" : wrong;
    case LOSS:
        return parse_u32(text, QUANTITY_CHANCE, &c->loss_ppb);
    case BURST:
        return parse_burst(text, c);
    case REORDER:
        return parse_reorder(text, c);
    case DUPLICATE:
        return parse_u32(text, QUANTITY_CHANCE, &c->duplicate_ppb);
    case CORRUPT:
        return parse_u32(text, QUANTITY_CHANCE, &c->corrupt_ppb);
    case JITTER:
        return parse_jitter(text, c);
    case ICMP:
        c->icmp = strcmp(text, "on") == 0;
        return c->icmp || strcmp(text, "off") == 0 ? NULL : "icmp is on or off";
    case ECN:
        return parse_ecn(text, c);
    case LINK_KEYS:
        break;
    }
    return "unknown key";
}

const char *link_patch_read(struct link_patch *p, const char *word) {
    char key[PART_BYTES];
    const char *eq = strchr(word, '=');
    if (!eq || (size_t)(eq - word) >= sizeof key)
        return "key=value is expected";
    memcpy(key, word, (size_t)(eq - word));
    key[eq - word] = '\0';
    bool up = true, down = true;
    char *dot = strchr(key, '.');
    if (strcmp(key, "up") == 0 || (dot && strcmp(dot, ".up") == 0))
        down = false;
    else if (strcmp(key, "down") == 0 || (dot && strcmp(dot, ".down") == 0))
        up = false;
    else if (dot)
        return "a key may end in .up or .down";
    const bool is_rate = strcmp(key, "up") == 0 || strcmp(key, "down") == 0;
    if (dot)
        *dot = '\0';
    const int found = is_rate ? (int)RATE : find_key(link_keys, LINK_KEYS, key);
    if (found < 0)
        return "links have: up down rate delay queue mtu loss burst reorder dup corrupt jitter "
               "icmp ecn";
    const char *wrong = NULL;
    if (up) {
        wrong = parse_link_value(found, eq + 1, &p->values[SIM_UP]);
        p->set[SIM_UP] |= 1u << found;
    }
    if (down && !wrong) {
        wrong = parse_link_value(found, eq + 1, &p->values[SIM_DOWN]);
        p->set[SIM_DOWN] |= 1u << found;
    }
    return wrong;
}

void link_patch_apply(const struct link_patch *p, unsigned direction, struct link_config *c) {
    const struct link_config *v = &p->values[direction];
    const unsigned set = p->set[direction];
    if (set & 1u << RATE)
        c->rate_bps = v->rate_bps;
    if (set & 1u << DELAY)
        c->delay_ns = v->delay_ns;
    if (set & 1u << QUEUE) {
        c->queue_bytes = v->queue_bytes;
        c->queue_ns = v->queue_ns;
        c->codel_ns = v->codel_ns;
    }
    if (set & 1u << JITTER) {
        c->jitter = v->jitter;
        c->jitter_ns = v->jitter_ns;
    }
    if (set & 1u << ICMP)
        c->icmp = v->icmp;
    if (set & 1u << ECN)
        c->ecn = v->ecn;
    if (set & 1u << MTU)
        c->mtu_bytes = v->mtu_bytes;
    if (set & 1u << LOSS)
        c->loss_ppb = v->loss_ppb;
    if (set & 1u << BURST) {
        c->burst_enter_ppb = v->burst_enter_ppb;
        c->burst_leave_ppb = v->burst_leave_ppb;
        c->burst_loss_ppb = v->burst_loss_ppb;
    }
    if (set & 1u << REORDER) {
        c->reorder_ppb = v->reorder_ppb;
        c->reorder_ns = v->reorder_ns;
    }
    if (set & 1u << DUPLICATE)
        c->duplicate_ppb = v->duplicate_ppb;
    if (set & 1u << CORRUPT)
        c->corrupt_ppb = v->corrupt_ppb;
}

const char *disk_patch_read(struct disk_patch *p, const char *word) {
    char key[PART_BYTES];
    const char *eq = strchr(word, '=');
    if (!eq || (size_t)(eq - word) >= sizeof key)
        return "key=value is expected";
    memcpy(key, word, (size_t)(eq - word));
    key[eq - word] = '\0';
    const int found = find_key(disk_keys, DISK_KEYS, key);
    if (found < 0)
        return "disks have: latency rate capacity read_errors sync_errors";
    p->set |= 1u << found;
    switch ((enum disk_key)found) {
    case LATENCY:
        return quantity_parse(eq + 1, QUANTITY_DURATION, &p->values.latency_ns);
    case DISK_RATE:
        return quantity_parse(eq + 1, QUANTITY_BYTES, &p->values.rate_bytes);
    case CAPACITY:
        return quantity_parse(eq + 1, QUANTITY_BYTES, &p->values.capacity_bytes);
    case READ_ERRORS:
        return parse_u32(eq + 1, QUANTITY_CHANCE, &p->values.read_error_ppb);
    case SYNC_ERRORS:
        return parse_u32(eq + 1, QUANTITY_CHANCE, &p->values.sync_error_ppb);
    case DISK_KEYS:
        break;
    }
    return "unknown key";
}

void disk_patch_apply(const struct disk_patch *p, struct disk_config *c) {
    if (p->set & 1u << LATENCY)
        c->latency_ns = p->values.latency_ns;
    if (p->set & 1u << DISK_RATE)
        c->rate_bytes = p->values.rate_bytes;
    if (p->set & 1u << CAPACITY)
        c->capacity_bytes = p->values.capacity_bytes;
    if (p->set & 1u << READ_ERRORS)
        c->read_error_ppb = p->values.read_error_ppb;
    if (p->set & 1u << SYNC_ERRORS)
        c->sync_error_ppb = p->values.sync_error_ppb;
}
