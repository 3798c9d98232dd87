#include "sim/campaign/draw_net.h"

enum { ENTITY = 1, FIRST_MS = 5000, LAST_MS = 59000, CROWD_LAST_MS = 45000, CROWD_MS = 14000 };

static uint64_t below(struct draw_net *n, uint64_t count) {
    return draw_below(draw_u64(n->draw, ENTITY, DRAW_CHOICE, n->drawn++), count);
}

static const char *one_of(struct draw_net *n, const char *const *list, unsigned count) {
    return list[below(n, count)];
}

/* Whoever moves can speak to whoever stays. */
static void draw_families(struct draw_net *n) {
    static const char *const pairs[][2] = {{" ip=6", " ip=6"},
                                           {" ip=dual", " ip=dual"},
                                           {" ip=dual", " ip=6"},
                                           {" ip=dual", ""},
                                           {" ip=6", " ip=dual"}};
    n->stay_keys = n->move_keys = "";
    const uint64_t at = below(n, 20); /* one in four */
    if (at >= 5)
        return;
    n->stay_keys = pairs[at][0];
    n->move_keys = pairs[at][1];
}

void draw_net_init(struct draw_net *n, const struct draw *draw, uint32_t move) {
    static const char *const nats[] = {"portrestricted",
                                       "linux",
                                       "linux,input=accept",
                                       "linux,ports=random",
                                       "fullcone",
                                       "symmetric",
                                       "restricted,icmp=drop",
                                       "portrestricted,ip6=open",
                                       "symmetric,table=64:lru",
                                       "firewall"},
                             *const linuxes[] = {"linux", "linux,input=accept",
                                                 "linux,ports=random", "linux,table=64"};
    *n = (struct draw_net){.draw = draw, .move = move};
    const uint64_t kind = below(n, 8); /* half are plain */
    n->kind = kind < 4 ? DRAW_NET_PLAIN : (enum draw_net_kind)(kind - 3);
    n->nat = n->kind == DRAW_NET_LINUX ? one_of(n, linuxes, 4) : one_of(n, nats, 10);
    draw_families(n);
}

void draw_net_sites(const struct draw_net *n, struct text *out) {
    if (n->kind == DRAW_NET_CARRIER || n->kind == DRAW_NET_BOTH)
        text_add(out, "site carrier nat=cgn\n");
    if (n->kind == DRAW_NET_HOME)
        text_add(out, "site home nat=%s\n", n->nat);
    if (n->kind == DRAW_NET_BOTH)
        text_add(out, "site home nat=%s behind=carrier\n", n->nat);
}

void draw_net_places(const struct draw_net *n, struct text *out) {
    switch (n->kind) {
    case DRAW_NET_PLAIN:
        break;
    case DRAW_NET_HOME:
    case DRAW_NET_BOTH:
        text_add(out, " site=home");
        break;
    case DRAW_NET_CARRIER:
        text_add(out, " nat=%s behind=carrier", n->nat);
        break;
    case DRAW_NET_LINUX:
        text_add(out, " nat=%s", n->nat);
        break;
    }
}

/* A router: of somebody's home, or the carrier's. */
static void router(struct draw_net *n, struct text *out) {
    if ((n->kind == DRAW_NET_CARRIER || n->kind == DRAW_NET_BOTH) && below(n, 3) == 0)
        text_add(out, "carrier");
    else
        text_add(out, "m%u", 1 + (unsigned)below(n, n->move));
}

void draw_net_faults(struct draw_net *n, bool natted, struct text *out) {
    if (!natted)
        return;
    for (uint64_t i = below(n, 4); i > 0; i--) {
        const bool crowds = below(n, 3) == 0;
        const uint64_t last_ms = crowds ? CROWD_LAST_MS : LAST_MS;
        text_add(out, "at %ums %s ", (unsigned)(FIRST_MS + below(n, last_ms - FIRST_MS)),
                 crowds ? "crowd" : "reboot");
        router(n, out);
        if (crowds)
            text_add(out, " for=%ums\n", 100 + (unsigned)below(n, CROWD_MS));
        else
            text_add(out, "%s\n", below(n, 2) == 0 ? " move" : "");
    }
}
