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

/* Of its addresses the best is what its session says of them. */
static const char *direct_why(const struct contact_reach *out) {
    for (unsigned i = 0; i < out->path_count; i++)
        if (out->paths[i].via == VIA_DIRECT)
            return out->paths[i].why;
    return NULL;
}

static void say_why(const struct mesh *mesh, const struct contact *c, struct contact_reach *out) {
    const char *why = NULL;
    const enum path_policy policy = contact_path_policy(mesh->ways.contacts, c);
    if (out->via == VIA_DIRECT)
        return;
    if (!c->peering->online) {
        why = policy == PATH_DIRECT_ONLY ? NULL : ways_why(&mesh->ways, &c->id);
        snprintf(out->why, sizeof out->why, "%s", why ? why : "");
        return;
    }
    if (policy == PATH_RELAY_ONLY)
        why = "relay_only: nothing goes to or comes from its address";
    else if (c->addr_count == 0)
        why = "no address of it is known";
    else
        why = direct_why(out);
    if (!why || !why[0])
        why = "none of its addresses has answered";
    snprintf(out->why, sizeof out->why, "%s", why);
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

void reach_moved(const struct mesh *mesh, struct peering *p) {
    struct path_info list[PATHS_MAX];
    if (session_paths(mesh->turn->ep, p->session, list) == 0)
        return;
    struct node_event *e = peering_tell_event(mesh->links.peers, NODE_PATH_CHANGED, p);
    reach_text(mesh, &p->at, e->from);
    reach_text(mesh, &list[0].hop, e->to);
    e->addr = *hop_addr(&list[0].hop);
    snprintf(e->detail, sizeof e->detail, "%s", list[0].why ? list[0].why : "");
    p->at = list[0].hop;
}
