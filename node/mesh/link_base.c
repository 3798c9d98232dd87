#include "node/mesh/link_base.h"

#include <stdio.h>

#include "crypto/base/rng.h"

/* HOST:PORT, as far as it fits. */
static void place_text(const struct relay *r, char out[static ADDR_TEXT_MAX + 8]) {
    if (r->at.at.kind != ADDR_NONE)
        addr_text(&r->at.at, out);
    else
        snprintf(out, ADDR_TEXT_MAX, "%.50s:%u", r->at.host, r->at.port);
}

/* A relay can bring its news about as often as it likes. */
static bool may_tell(struct relay *r, uint64_t now_us) {
    const uint64_t from_us = r->told_us > now_us ? r->told_us : now_us;
    if (from_us - now_us > (LINK_NEWS_BURST - 1) * (uint64_t)LINK_NEWS_US)
        return false;
    r->told_us = from_us + LINK_NEWS_US;
    return true;
}

void link_tell(const struct links *links, struct relay *r, enum relay_news news) {
    if (!may_tell(r, links->turn->now_us))
        return;
    struct node_event *e = turn_tell(links->turn, NODE_RELAY, NULL);
    char place[ADDR_TEXT_MAX + 8], expected[NODE_ID_TEXT_CHARS + 1], found[NODE_ID_TEXT_CHARS + 1];
    place_text(r, place);
    e->id = r->serial;
    e->relay = news;
    e->total = r->named;
    if (news != RELAY_NEWS_WRONG_KEY) {
        snprintf(e->detail, sizeof e->detail, "relay %s: %s", place, r->why);
        return;
    }
    node_id_text(&r->at.id, expected);
    node_id_text(&r->wrong, found);
    snprintf(e->detail, sizeof e->detail, "relay %s is not used: its key is %s, not %s", place,
             found, expected);
}

uint64_t link_about_us(const struct links *links, uint64_t us) {
    return us - us / 4 + rng_u64(&links->turn->env.rng) % (us / 2 + 1);
}

/* Once, until it has answered. */
static void complain(const struct links *links, struct relay *r) {
    char place[ADDR_TEXT_MAX + 8];
    place_text(r, place);
    r->complained = true;
    turn_log(links->turn, LOG_WARN, "relay %s cannot be used now: %s; it is tried again and again",
             place, r->why);
}

void link_failed(struct links *links, struct relay *r, enum relay_state to, const char *why) {
    const uint64_t now_us = links->turn->now_us;
    const uint64_t first_us = to == RELAY_IS_WRONG_KEY ? LINK_WRONG_US : LINK_FIRST_US;
    const bool was_home = r->home && r->state == RELAY_IS_RESERVED;
    relay_enter(r, now_us, to, why);
    r->doubted = true;
    r->asking = false;
    r->probe = (struct relay_probe){0};
    r->pause_us = r->pause_us < first_us ? first_us : r->pause_us * 2;
    if (r->pause_us > LINK_MAX_US)
        r->pause_us = LINK_MAX_US;
    r->due_us = now_us + link_about_us(links, r->pause_us);
    links->choose_us = now_us;
    if (was_home)
        link_tell(links, r, RELAY_NEWS_LOST);
    else if (to == RELAY_IS_SILENT && r->named && !r->complained)
        complain(links, r);
}
