/* duty.h: what was asked of nodes, what came of it, and what the world did to them meanwhile that
 * excuses them: it tells sim/measure/ (ledger, demand, trouble) what happens, and judges nothing
 * itself.
 */
#ifndef MESHD_SIM_WORLD_DUTY_H
#define MESHD_SIM_WORLD_DUTY_H

#include "sim/measure/demand.h"
#include "sim/measure/ledger.h"
#include "sim/measure/trouble.h"
#include "sim/world/packet.h"
#include "sim/world/site.h"
#include "sim/world/world.h"

struct duties {
    struct world *world;
    struct sites *sites;
    struct ledger ledger;
    struct demands demands;   /* what was asked, and what came of it */
    struct troubles troubles; /* what excuses what did not */
};

struct duty {
    enum demand_kind kind;
    uint32_t from, to;
    uint64_t ref; /* as in struct demand_item */
};

void duties_init(struct duties *ds, struct world *w, struct sites *sites);
void duties_clear(struct duties *ds);
/* The run is over: what was asked for and is still undone is judged. */
void duties_settle(struct duties *ds);

/* ---- what is asked ---- */

/* It was asked for; err: the node has refused it. */
void duty_asked(struct duties *ds, const struct duty *d, int err);
void duty_done(struct duties *ds, const struct duty *d,
               int err); /* all open ones of this kind and ref */
void duty_event(struct duties *ds, const struct host *h, uint32_t peer, const struct node_event *e);
/* Whether `from` can reach `to` by itself, as far as its world lets it. */
bool duty_can_reach(const struct world *w, uint32_t from, uint32_t to);
bool duty_paired(const struct world *w, uint32_t a, uint32_t b); /* both say so */

/* ---- what happens to hosts ---- */

void duty_died(struct duties *ds, const struct host *h);
void duty_lost_power(struct duties *ds, const struct host *h);
void duty_trouble(struct duties *ds, const struct host *h, enum trouble_kind kind, bool lasts);
void duty_moment(struct duties *ds, const struct host *h, enum trouble_kind kind);
void duty_hostile(struct duties *ds, const struct host *h); /* it is, or is honest again */
void duty_line(struct duties *ds, const struct host *h);    /* its link is another from now on */
void duty_site(struct duties *ds, uint32_t site); /* the NAT of all in it has forgotten them */

/* ---- what happens to datagrams ---- */

void duty_heard(struct duties *ds, const struct packet *p); /* it came through */
void duty_lost(struct duties *ds, const struct packet *p);  /* or not, or spoiled */

#endif
