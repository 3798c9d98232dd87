/* shrink.h: makes a failing scenario small. What counts as failing is the caller's: a predicate
 * over texts. Steps, each repeated until it gives nothing more: statements (ddmin: Zeller and
 * Hildebrandt, IEEE TSE 28(2), 2002), fewer hosts, shorter times and smaller numbers, link faults
 * one by one, random loss replaced by a list of single packets.
 */
#ifndef MESHD_SIM_CAMPAIGN_SHRINK_H
#define MESHD_SIM_CAMPAIGN_SHRINK_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/text/text.h"

struct shrinker {
    void *ctx;
    /* True: this text still fails in the same way. */
    bool (*fails)(void *ctx, const char *text);
    /* The packets that random loss took in a run of this text: "lose NAME up 3 17" lines. May be
     * NULL. */
    void (*losses)(void *ctx, const char *text, struct text *out);
    unsigned budget; /* runs left; counts down */
    /* what stands after a line "#! keep" is not touched: the part that heals and then demands */
    bool keep_marked;
};

/* `text` must fail. Gives a text that fails, of the same statements or simpler ones. */
void shrink(struct shrinker *s, const char *text, struct text *out);

/* Minimises a list of `count` items by removing: `keep` says which are in; `test` runs on the
 * present choice. 1-minimal when the budget suffices. */
void shrink_ddmin(bool *keep, unsigned count, bool (*test)(void *ctx), void *ctx);

#endif
