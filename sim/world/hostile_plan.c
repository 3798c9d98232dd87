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
    static const char *const types[] = {"", "initiation", "response", "retry", "data"};
    uint64_t ppb;
    if (c->count == 2) {
        unsigned i = 1;
        while (i < 5 && strcmp(types[i], c->parts[0]) != 0)
            i++;
        if (i == 5)
            return "drop(TYPE,CHANCE): TYPE is initiation, response, retry or data";
        p->drop_types |= 1u << i;
    }
    const char *wrong = quantity_parse(c->parts[c->count - 1], QUANTITY_CHANCE, &ppb);
    p->drop_ppb = wrong ? 0 : (uint32_t)ppb;
    return wrong;
}

static const char *read_flood(struct hostile_plan *p, const struct call *c) {
    static const char *const kinds[] = {"random", "initiation", "stranger"};
    unsigned kind = 0;
    while (c->count == 3 && kind < 3 && strcmp(c->parts[2], kinds[kind]) != 0)
        kind++;
    if (c->count < 2 || kind == 3)
        return "flood(HOST,RATE,random|initiation|stranger)";
    p->floods = true;
    p->flood_kind = (enum flood_kind)kind;
    return read_rate(c->parts[1], &p->flood_interval_ns);
}

static const char *read_call(struct hostile_plan *p, const struct call *c) {
    uint64_t v = 0;
    const char *wrong = NULL;
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
           "amplify(VICTIM,REFLECTOR,RATE) icmp(VICTIM,PEER,RATE) lie(HOST) future(TIME) forge";
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
    uint32_t *wanted[2] = {NULL, NULL};
    if (strcmp(c.name, "flood") == 0)
        wanted[0] = &p->flood_target;
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
    for (unsigned i = 0; i < 2 && wanted[i]; i++) {
        *wanted[i] = find(ctx, c.parts[i]);
        if (*wanted[i] == UINT32_MAX)
            return "there is no node of that name";
    }
    return NULL;
}
