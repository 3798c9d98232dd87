#include "sim/link/fault.h"

#include <stdlib.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

static void drop(struct faults *f, uint32_t i) {
    mem_free(f->list[i].from);
    mem_free(f->list[i].to);
    f->list[i] = f->list[--f->count];
}

void faults_clear(struct faults *f) {
    while (f->count > 0)
        drop(f, f->count - 1);
    mem_free(f->list);
    *f = (struct faults){0};
}

void faults_heal(struct faults *f, uint64_t now_ns) {
    for (uint32_t i = 0; i < f->count; i++)
        if (f->list[i].until_ns > now_ns)
            f->list[i].until_ns = now_ns;
}

void faults_forget(struct faults *f, uint64_t now_ns) {
    for (uint32_t i = f->count; i-- > 0;)
        if (f->list[i].until_ns < now_ns && now_ns - f->list[i].until_ns > FAULT_MEMORY_NS)
            drop(f, i);
}

static uint8_t *set_of(uint32_t hosts, const uint32_t *list, uint32_t count) {
    uint8_t *bits = mem_calloc(hosts / 8 + 1, 1);
    if (!bits)
        abort();
    for (uint32_t i = 0; i < count; i++)
        bits[list[i] / 8] = (uint8_t)(bits[list[i] / 8] | 1u << list[i] % 8);
    return bits;
}

void faults_add(struct faults *f, const struct fault *model, const uint32_t *from,
                uint32_t from_count, const uint32_t *to, uint32_t to_count) {
    grow(&f->list, &f->cap, f->count + 1, sizeof *f->list);
    struct fault *new = &f->list[f->count++];
    *new = *model;
    new->from = set_of(model->hosts, from, from_count);
    new->to = set_of(model->hosts, to, to_count);
}

static bool in(const uint8_t *set, uint32_t hosts, uint32_t host) {
    return host < hosts && (set[host / 8] >> host % 8 & 1) != 0;
}

bool fault_between(const struct fault *f, uint32_t from, uint32_t to) {
    return (in(f->from, f->hosts, from) && in(f->to, f->hosts, to)) ||
           (!f->oneway && in(f->from, f->hosts, to) && in(f->to, f->hosts, from));
}

bool faults_judge(const struct faults *f, uint64_t at_ns, uint32_t from, uint32_t to,
                  uint64_t *held_until_ns) {
    bool cut = false;
    *held_until_ns = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        const struct fault *x = &f->list[i];
        if (at_ns < x->from_ns || at_ns >= x->until_ns)
            continue;
        const bool hit = fault_between(x, from, to);
        if (hit && x->kind == FAULT_CUT)
            cut = true;
        else if (hit && x->until_ns > *held_until_ns)
            *held_until_ns = x->until_ns;
    }
    return cut;
}
