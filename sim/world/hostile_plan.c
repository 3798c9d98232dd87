#include "sim/world/hostile_plan.h"

#include <string.h>

#include "sim/text/quantity.h"

enum { PARTS_MAX = 3, PART_BYTES = 48 };

struct call { /* "name(a,b,c)" */
    char name[PART_BYTES], parts[PARTS_MAX][PART_BYTES];
    unsigned count;
};

static bool split(const char *word, struct call *c) {
    const size_t head = strcspn(word, "("), len = strlen(word);
    *c = (struct call){.count = 0};
    if (head == 0 || head >= PART_BYTES || head == len || word[len - 1] != ')')
        return false;
    memcpy(c->name, word, head);
    for (const char *p = word + head + 1; c->count < PARTS_MAX;) {
        const size_t n = strcspn(p, ",)");
        if (n == 0 || n >= PART_BYTES)
            return false;
        memcpy(c->parts[c->count++], p, n);
        if (p[n] == ')')
            return p + n + 1 == word + len;
        p += n + 1;
    }
    return false;
}

static const char *read_rate(const char *text, uint64_t *interval_ns) {
    char number[PART_BYTES];
    double per_s;
    const size_t len = strcspn(text, "/");
    memcpy(number, text, len);
    number[len] = '\0';
    if (strcmp(text + len, "/s") != 0 || number[strspn(number, "0123456789.")] ||
        quantity_number(number, &per_s) || per_s <= 0 || per_s > 1e6)
        return "a rate is like 100/s, at most a million";
    *interval_ns = (uint64_t)(1e9 / per_s);
    return NULL;
}

static const char *read_drop(struct hostile_plan *p, const struct call *c) {
    static const char *const types[] = {"",        "initiation", "response", "retry",   "data",
                                        "forward", "forwarded",  "key_ask",  "key_told"};
    enum { TYPES = sizeof types / sizeof *types };
    uint64_t ppb;
    if (c->count == 2) {
        unsigned i = 1;
        while (i < TYPES && strcmp(types[i], c->parts[0]) != 0)
            i++;
        if (i == TYPES)
            return "drop(TYPE,CHANCE): TYPE is initiation, response, retry, data, forward, "
                   "forwarded, key_ask or key_told";
        p->drop_types |= 1u << i;
    }
    const char *wrong = quantity_parse(c->parts[c->count - 1], QUANTITY_CHANCE, &ppb);
    p->drop_ppb = wrong ? 0 : (uint32_t)ppb;
    return wrong;
}

static const char *read_flood(struct hostile_plan *p, const struct call *c) {
    static const char *const kinds[] = {"random", "initiation", "stranger", "forward", "key_ask"};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    unsigned kind = 0;
    while (c->count == 3 && kind < KINDS && strcmp(c->parts[2], kinds[kind]) != 0)
        kind++;
    if (c->count < 2 || kind == KINDS)
        return "flood(HOST,RATE,random|initiation|stranger|forward|key_ask)";
    p->floods = true;
    p->flood_kind = (enum flood_kind)kind;
    return read_rate(c->parts[1], &p->flood_interval_ns);
}

/* What it does to what it forwards, or copies. */
static const char *read_forwarding(struct hostile_plan *p, const struct call *c, bool *used) {
    const struct {
        const char *name;
        unsigned parts, chance; /* how many; which of them is the chance */
        uint32_t *to;
    } kinds[] = {{"delay", 2, 0, &p->delay_ppb},
                 {"twice", 1, 0, &p->twice_ppb},
                 {"swap", 1, 0, &p->swap_ppb},
                 {"spoil", 1, 0, &p->spoil_ppb},
                 {"copy", 2, 1, &p->copy_ppb}};
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        uint64_t v;
        if (strcmp(c->name, kinds[i].name) != 0 || c->count != kinds[i].parts)
            continue;
        *used = true;
        const char *wrong = quantity_parse(c->parts[kinds[i].chance], QUANTITY_CHANCE, &v);
        *kinds[i].to = wrong ? 0 : (uint32_t)v;
        p->copies = p->copies || i == 4;
        if (!wrong && i == 0)
            wrong = quantity_parse(c->parts[1], QUANTITY_DURATION, &p->delay_ns);
        return wrong;
    }
    return NULL;
}

static const char *read_call(struct hostile_plan *p, const struct call *c) {
    uint64_t v = 0;
    bool used = false;
    const char *wrong = read_forwarding(p, c, &used);
    if (used)
        return wrong;
    if (strcmp(c->name, "drop") == 0 && c->count <= 2)
        return read_drop(p, c);
    if (strcmp(c->name, "replay") == 0 && c->count == 1) {
        wrong = quantity_parse(c->parts[0], QUANTITY_CHANCE, &v);
        p->replay_ppb = (uint32_t)v;
        return wrong;
    }
    if (strcmp(c->name, "flood") == 0)
        return read_flood(p, c);
    if (strcmp(c->name, "amplify") == 0 && c->count == 3) {
        p->amplifies = true;
        return read_rate(c->parts[2], &p->amplify_interval_ns);
    }
    if (strcmp(c->name, "icmp") == 0 && c->count == 3) {
        p->icmps = true;
        return read_rate(c->parts[2], &p->icmp_interval_ns);
    }
    if (strcmp(c->name, "open") == 0 && c->count >= 2) {
        p->opens = true;
        p->open_to = UINT32_MAX;
        return read_rate(c->parts[1], &p->open_interval_ns);
    }
    if (strcmp(c->name, "lie") == 0 && c->count == 1) {
        p->lies = true;
        return NULL;
    }
    if (strcmp(c->name, "future") == 0 && c->count == 1) {
        wrong = quantity_parse(c->parts[0], QUANTITY_DURATION, &v);
        p->future_us = v / 1000;
        return wrong;
    }
    return "a hostile host has: drop([TYPE,]CHANCE) replay(CHANCE) flood(HOST,RATE[,KIND]) "
           "amplify(VICTIM,REFLECTOR,RATE) icmp(VICTIM,PEER,RATE) lie(HOST) future(TIME) forge "
           "delay(CHANCE,TIME) twice(CHANCE) swap(CHANCE) spoil(CHANCE) copy(HOST,CHANCE) "
           "open(RELAY,RATE[,HOST])";
}

const char *hostile_read(struct hostile_plan *p, const char *word,
                         uint32_t (*find)(const void *ctx, const char *name), const void *ctx) {
    struct call c;
    if (strcmp(word, "forge") == 0) {
        p->forges = true;
        return NULL;
    }
    if (!split(word, &c))
        return "KIND(...) is expected, like drop(10%)";
    const char *wrong = read_call(p, &c);
    if (wrong)
        return wrong;
    uint32_t *wanted[PARTS_MAX] = {NULL};
    if (strcmp(c.name, "open") == 0)
        wanted[0] = &p->open_relay;
    if (strcmp(c.name, "open") == 0 && c.count == 3)
        wanted[2] = &p->open_to;
    if (strcmp(c.name, "flood") == 0)
        wanted[0] = &p->flood_target;
    if (strcmp(c.name, "copy") == 0)
        wanted[0] = &p->copy_host;
    if (strcmp(c.name, "lie") == 0)
        wanted[0] = &p->lie_host;
    if (strcmp(c.name, "icmp") == 0) {
        wanted[0] = &p->icmp_host;
        wanted[1] = &p->icmp_peer;
    }
    if (strcmp(c.name, "amplify") == 0) {
        wanted[0] = &p->victim;
        wanted[1] = &p->reflector;
    }
    for (unsigned i = 0; i < PARTS_MAX; i++) {
        if (!wanted[i])
            continue;
        *wanted[i] = find(ctx, c.parts[i]);
        if (*wanted[i] == UINT32_MAX)
            return "there is no node of that name";
    }
    return NULL;
}
