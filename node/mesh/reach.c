#include "node/mesh/reach.h"

#include <stdio.h>
#include <string.h>

#include "net/endpoint.h"

static enum contact_via via_of(const struct hop *at) {
    switch (at->kind) {
    case HOP_UDP:
        return VIA_DIRECT;
    case HOP_RELAY:
        return VIA_RELAY;
    case HOP_PIPE:
        return VIA_PIPE;
    default:
        return VIA_NONE;
    }
}

void reach_place(const struct mesh *mesh, const struct hop *at, struct contact_path_shown *out) {
    *out = (struct contact_path_shown){.via = via_of(at)};
    if (at->kind != HOP_RELAY) {
        out->addr = *hop_addr(at);
        return;
    }
    const struct peering *p = peering_by_ref(mesh->links.peers, at->relay.by);
    const struct relay *r = p ? relay_by_peering(&mesh->links.book, p) : NULL;
    if (p)
        out->relay = p->id;
    if (r && r->place_count > 0)
        out->addr = r->places[r->place];
}

static const char *const statuses[] = {
    [PATH_NEW] = "new",       [PATH_PROBING] = "probing", [PATH_VALIDATED] = "validated",
    [PATH_ACTIVE] = "active", [PATH_SUSPECT] = "suspect", [PATH_FAILED] = "failed"};

/* Whether a relay is known that it may be reached by: one of its own, or of ours. */
static bool has_relay(const struct mesh *mesh, const struct contact *c) {
    struct relay_set ours;
    mesh_homes(mesh, &ours);
    return ours.count > 0 || (c->relays && c->relays->count > 0);
}

/* There is no way to it at all, whatever is done. NULL: there is one. */
static const char *no_way(const struct mesh *mesh, const struct contact *c,
                          enum path_policy policy) {
    const bool somewhere = c->addr_count > 0;
    if (policy == PATH_DIRECT_ONLY)
        return somewhere ? NULL
                         : "direct_only: no address of it is known, and relays are ruled out";
    if (has_relay(mesh, c))
        return NULL;
    if (policy == PATH_RELAY_ONLY)
        return "relay_only: no relay is known, its own or this node's; name one in meshd.conf, "
               "[relay] use";
    return somewhere ? NULL : "no address of it is known, and no relay";
}

/* NULL: nothing is known, or nobody has needed it. */
static const char *offline_why(const struct mesh *mesh, const struct contact *c,
                               enum path_policy policy) {
    const enum peer_state state = dial_state(mesh->ways.contacts->dials, c->peering);
    const char *why = state == PEER_IDLE ? NULL : no_way(mesh, c, policy);
    if (why || state != PEER_OFFLINE)
        return why;
    if (policy == PATH_DIRECT_ONLY)
        return "direct_only: none of its addresses answers, and relays are ruled out";
    if (has_relay(mesh, c))
        return ways_why(&mesh->ways, &c->id);
    return "none of its addresses answers, and no relay is known";
}

/* Of its addresses the best is what its session says of them. */
static bool direct_why(const struct contact_reach *out, char why[static CONTACT_WHY_MAX]) {
    char at[ADDR_TEXT_MAX];
    for (unsigned i = 0; i < out->path_count; i++) {
        const struct contact_path_shown *path = &out->paths[i];
        if (path->via != VIA_DIRECT || !path->why[0])
            continue;
        addr_text(&path->addr, at);
        snprintf(why, CONTACT_WHY_MAX, "its address %s: %s", at, path->why);
        return true;
    }
    return false;
}

static void say_why(const struct mesh *mesh, const struct contact *c, struct contact_reach *out) {
    const char *why = "none of its addresses has answered";
    const enum path_policy policy = contact_path_policy(mesh->ways.contacts, c);
    if (out->via == VIA_DIRECT)
        return;
    if (!c->peering->online)
        why = offline_why(mesh, c, policy);
    else if (policy == PATH_RELAY_ONLY)
        why = "relay_only: nothing goes to or comes from its address";
    else if (direct_why(out, out->why))
        return;
    else if (c->addr_count == 0)
        why = "no address of it is known";
    snprintf(out->why, sizeof out->why, "%s", why ? why : "");
}

void reach_fill(const struct mesh *mesh, const struct contact *c, struct contact_reach *out) {
    struct path_info list[PATHS_MAX];
    const struct peering *p = c->peering;
    *out = (struct contact_reach){.via = VIA_NONE};
    const unsigned count = p->online ? session_paths(mesh->turn->ep, p->session, list) : 0;
    for (unsigned i = 0; i < count && i < CONTACT_PATHS_MAX; i++) {
        struct contact_path_shown *to = &out->paths[out->path_count++];
        reach_place(mesh, &list[i].hop, to);
        to->state = statuses[list[i].status];
        to->active = list[i].in_use;
        to->srtt_us = list[i].srtt_us;
        to->loss_permille = list[i].loss_permille;
        to->mtu_bytes = list[i].mtu_bytes;
        to->why = list[i].why ? list[i].why : "";
        if (to->active)
            out->via = to->via;
    }
    say_why(mesh, c, out);
}

void reach_text(const struct mesh *mesh, const struct hop *at, char out[static PLACE_TEXT_MAX]) {
    struct contact_path_shown place;
    char text[ADDR_TEXT_MAX] = "";
    reach_place(mesh, at, &place);
    if (place.addr.kind != ADDR_NONE)
        addr_text(&place.addr, text);
    switch (place.via) {
    case VIA_NONE:
        snprintf(out, PLACE_TEXT_MAX, "nowhere");
        return;
    case VIA_DIRECT:
        snprintf(out, PLACE_TEXT_MAX, "%s", text);
        return;
    case VIA_RELAY:
        snprintf(out, PLACE_TEXT_MAX, "relay%s%s", text[0] ? " " : "", text);
        return;
    case VIA_PIPE:
        snprintf(out, PLACE_TEXT_MAX, "a pipe");
        return;
    }
}

void reach_began(const struct mesh *mesh, struct peering *p) {
    struct path_info list[PATHS_MAX];
    p->at = session_paths(mesh->turn->ep, p->session, list) > 0 ? list[0].hop
                                                                : (struct hop){.kind = HOP_NONE};
}

void reach_up(const struct mesh *mesh, struct peering *p) {
    struct node_event *e = peering_tell_event(mesh->links.peers, NODE_PEER_UP, p);
    e->addr = *hop_addr(&p->at);
    if (p->at.kind != HOP_NONE)
        reach_text(mesh, &p->at, e->to);
}

void reach_moved(const struct mesh *mesh, struct peering *p) {
    struct path_info list[PATHS_MAX];
    char from[PLACE_TEXT_MAX], to[PLACE_TEXT_MAX];
    if (session_paths(mesh->turn->ep, p->session, list) == 0)
        return;
    reach_text(mesh, &p->at, from);
    reach_text(mesh, &list[0].hop, to);
    p->at = list[0].hop;
    if (strcmp(from, to) == 0) /* through the same relay, after it has started again */
        return;
    struct node_event *e = peering_tell_event(mesh->links.peers, NODE_PATH_CHANGED, p);
    memcpy(e->from, from, sizeof from);
    memcpy(e->to, to, sizeof to);
    e->addr = *hop_addr(&list[0].hop);
    snprintf(e->detail, sizeof e->detail, "%s", list[0].why ? list[0].why : "");
}
