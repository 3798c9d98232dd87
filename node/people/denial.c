#include "node/people/denial.h"

#include "node/people/contact_store.h"

bool denial_is(int err) {
    return denial_code(err) != 0;
}

/* A secret that is not known there, seen from here: the ticket's, if that has never opened
 * anything; and once it was the ticket's it stays that, whatever else is tried. */
static int seen_from_here(const struct contact *c, int err, bool by_ticket) {
    if (err != ERR_UNKNOWN && err != ERR_SECRET)
        return err;
    bool untried = !c->paired || c->ticket_new;
    return c->denied == ERR_TICKET || (by_ticket && untried) ? ERR_TICKET : err;
}

static void remember(struct contacts *people, struct contact *c, int err) {
    c->denied = err;
    c->peering->refused = err != 0;
    err = contact_update(people, c);
    if (err)
        turn_log(people->turn, LOG_WARN, "whether \"%s\" lets this node in was not stored: %s",
                 c->name, err_text(err));
}

static bool take(struct contacts *people, struct contact *c) {
    if (c->denials_us < people->turn->now_us)
        c->denials_us = people->turn->now_us;
    if (c->denials_us - people->turn->now_us > (uint64_t)(DENIAL_BURST - 1) * DENIAL_EVERY_US)
        return false;
    c->denials_us += DENIAL_EVERY_US;
    return true;
}

int denial_heard(struct contacts *people, struct contact *c, int err, bool by_ticket) {
    if (!denial_is(err))
        return err;
    err = seen_from_here(c, err, by_ticket);
    if (err == c->denied)
        return err;
    if (!take(people, c)) {
        c->denied = err;
        c->peering->refused = true;
        return err;
    }
    remember(people, c, err);
    struct node_event *e = contacts_tell(people, NODE_CONTACT_DENIED, c->name);
    e->err = err;
    e->cause = cause_here(err);
    return err;
}

void denial_over(struct contacts *people, struct contact *c) {
    if (c->denied_stored)
        remember(people, c, 0);
    c->denied = 0;
    c->peering->refused = false;
}
