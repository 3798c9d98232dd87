#include "node/api/cause.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int err;
    bool bytes;
    const char *key, *here, *peer;
} limits[LIMITS] = {[LIMIT_NONE] = {"", 0, false, "", "", ""},
#define X(sym, num, name, err, bytes, key, here, peer) [sym] = {name, err, bytes, key, here, peer},
                    LIMIT_LIST(X)
#undef X
};

struct cause cause_here(int err) {
    struct cause c = {.side = SIDE_LOCAL};
    switch (err) {
    case ERR_PROTO:
    case ERR_RESET:
        c.side = SIDE_PEER;
        break;
    case ERR_OFFLINE:
    case ERR_CLOSED:
    case ERR_TIMEOUT:
    case ERR_INTEGRITY:
        c.side = SIDE_BETWEEN;
        break;
    default: /* who is who is never one side's alone */
        if (err_exit_code(err) == err_exit_code(ERR_AUTH))
            c.side = SIDE_BETWEEN;
        break;
    }
    return c;
}

struct cause cause_said(int err, enum limit limit, uint64_t max) {
    struct cause c = {SIDE_PEER, limit_err(limit) == err ? limit : LIMIT_NONE, 0};
    c.max = c.limit != LIMIT_NONE ? max : 0;
    switch (err) {
    case ERR_INTEGRITY:
    case ERR_PROTO:
    case ERR_STALE:
    case ERR_FORMAT:
        c.side = SIDE_BETWEEN;
        break;
    default:
        break;
    }
    return c;
}

static const char *const side_names[SIDES] = {"local", "peer", "between"};

const char *side_name(enum side s) {
    return side_names[s];
}

enum side side_by_name(const char *name) {
    for (unsigned i = 0; i < SIDES; i++)
        if (strcmp(side_names[i], name) == 0)
            return (enum side)i;
    return SIDE_LOCAL;
}

/* ---- limits ---- */
enum limit limit_from_wire(uint64_t num) {
    return num < LIMITS ? (enum limit)num : LIMIT_NONE;
}

enum limit limit_by_name(const char *name) {
    for (unsigned i = 0; i < LIMITS; i++)
        if (strcmp(limits[i].name, name) == 0)
            return (enum limit)i;
    return LIMIT_NONE;
}

const char *limit_name(enum limit l) {
    return limits[l].name;
}

int limit_err(enum limit l) {
    return limits[l].err;
}

const char *limit_key(enum limit l) {
    return limits[l].key;
}

bool limit_is_systems(enum limit l) {
    return l == LIMIT_DESCRIPTORS || l == LIMIT_DISK_QUOTA || l == LIMIT_FILE_SIZE;
}

void limit_text(char out[static LIMIT_TEXT_MAX], enum limit l, uint64_t max) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned u = 0;
    for (; limits[l].bytes && u < 4 && max > 0 && max % 1024 == 0; u++)
        max /= 1024;
    snprintf(out, LIMIT_TEXT_MAX, "%llu%s%s", (unsigned long long)max, limits[l].bytes ? " " : "",
             limits[l].bytes ? units[u] : "");
}

static void text_of_limit(char out[static CAUSE_TEXT_MAX], const struct cause *c) {
    const bool there = c->side == SIDE_PEER;
    const char *key = limits[c->limit].key;
    char most[LIMIT_TEXT_MAX + 16] = "", number[LIMIT_TEXT_MAX];
    limit_text(number, c->limit, c->max);
    if (c->max > 0)
        snprintf(most, sizeof most, "%s at most, ", number);
    if (limit_is_systems(c->limit))
        snprintf(out, CAUSE_TEXT_MAX, "%s", there ? limits[c->limit].peer : limits[c->limit].here);
    else
        snprintf(out, CAUSE_TEXT_MAX, "%s (%s%s%s)",
                 there ? limits[c->limit].peer : limits[c->limit].here, most,
                 key[0] ? key : "which is fixed",
                 !key[0] ? ""
                 : there ? " in their meshd.conf"
                         : " in meshd.conf");
}

/* ---- sentences ---- */
static const struct {
    const char *here, *peer; /* NULL: err_text's */
} texts[] = {
    [-ERR_FAILED] = {NULL, "it failed at the peer"},
    [-ERR_USAGE] = {NULL, "the peer cannot take it as it is"},
    [-ERR_NO_DAEMON] = {NULL, "the peer has no meshd that runs"},
    [-ERR_NOT_FOUND] = {NULL, "the peer does not find what it needs for it"},
    [-ERR_REFUSED] = {"it was refused here", "the peer refused"},
    [-ERR_OFFLINE] = {NULL, "the peer cannot be reached now"},
    [-ERR_AUTH] = {NULL, "the peer does not know this node"},
    [-ERR_INTEGRITY] = {NULL, "the peer found that what arrived is not what was sent"},
    [-ERR_DISK] = {"the disk is full here, or a quota is used up",
                   "the peer's disk is full, or a quota there is used up"},
    [-ERR_TIMEOUT] = {NULL, "the time that the peer gave for it is over"},
    [-ERR_NOMEM] = {"out of memory here", "the peer is out of memory"},
    [-ERR_FULL] = {"a limit of this node's is reached", "a limit of the peer's is reached"},
    [-ERR_EXISTS] = {NULL, "the name is already taken at the peer"},
    [-ERR_IO] = {"reading or writing failed here", "reading or writing failed at the peer"},
    [-ERR_PERM] = {"permission denied here", "permission denied at the peer"},
    [-ERR_PROTO] = {NULL, "the peer broke the protocol"},
    [-ERR_STALE] = {NULL, "the peer has seen something newer already"},
    [-ERR_CLOSED] = {"meshd was stopped here", "the peer's meshd was stopped"},
    [-ERR_RESET] = {NULL, "the peer gave up"},
    [-ERR_AGAIN] = {NULL, "the peer is busy; try again later"},
    [-ERR_UNSUPPORTED] = {NULL, "the peer's meshd does not support it"},
    [-ERR_CANCELLED] = {"it was cancelled here", "the peer cancelled it"},
    [-ERR_FORMAT] = {NULL, "the peer cannot read what was sent"},
    [-ERR_CHANGED] = {NULL, "the file changed at the peer while it was being read"},
    [-ERR_UNSIZED] = {NULL, "the file at the peer has no fixed size"},
    [-ERR_TICKET] = {NULL, "the peer does not take the ticket"},
    [-ERR_UNKNOWN] = {NULL, "this node is not among the peer's contacts"},
    [-ERR_SECRET] = {NULL, "the peer has another secret for this node"},
    [-ERR_ENDED] = {NULL, "the peer's meshd was ended while it was under way"},
};

void cause_text(char out[static CAUSE_TEXT_MAX], int err, const struct cause *c) {
    if (c->limit != LIMIT_NONE) {
        text_of_limit(out, c);
        return;
    }
    const char *text = NULL;
    if (err == ERR_PROTO && c->side == SIDE_BETWEEN)
        text = "the two nodes do not understand each other";
    else if (err < 0 && -err < (int)(sizeof texts / sizeof *texts) && c->side != SIDE_BETWEEN)
        text = c->side == SIDE_PEER ? texts[-err].peer : texts[-err].here;
    if (!text && c->side == SIDE_PEER)
        text = "it failed at the peer";
    snprintf(out, CAUSE_TEXT_MAX, "%s", text ? text : err_text(err));
}
