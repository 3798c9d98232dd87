/* node_int.h: the inside of a node, for the modules of node/ only: node/node.c holds them together. */
#ifndef MESHD_NODE_NODE_INT_H
#define MESHD_NODE_NODE_INT_H

#include "node/base/event_queue.h"
#include "node/base/keep.h"
#include "node/call/datagrams.h"
#include "node/channel/intake.h"
#include "node/disk/file_queue.h"
#include "node/file/recv_rule.h"
#include "node/file/transfer.h"
#include "node/message/message.h"
#include "node/node.h"
#include "node/peer/dead_peer.h"
#include "node/peer/dial.h"
#include "node/peer/ping.h"
#include "node/people/contact.h"
#include "node/people/invite.h"

struct node {
    struct env env;
    struct endpoint *ep;
    struct node_id id;
    struct dh_public transport;
    enum accept_rule accept;
    bool lazy;
    char download_dir[1024];
    uint64_t accept_max_bytes;
    uint32_t blocks_max;
    struct addr tell[PEER_ADDRS_MAX];
    unsigned tell_count;

    uint64_t now_us; /* of this turn */
    uint64_t started_us;
    uint64_t wall_us, wall_at_us; /* wall clock as told, and when */
    bool unheard;                 /* datagrams came in since the endpoint was asked for events */
    bool shut;                    /* after node_shutdown nothing is started */
    bool blocks_short;            /* a sender waits for memory: pumped at the next turn */
    struct cause met;             /* the limit that was met last, until somebody asks */

    struct keep keep;
    struct contacts contacts;
    struct dials dials;
    struct invites invites;
    struct messages messages;
    struct pings pings;
    struct watch watch;
    struct transfers transfers;
    struct recv_rules rules;
    struct intakes intakes;
    struct work work;
    struct news news;
    struct mailbox mailbox;
};

uint64_t node_wall_us(const struct node *n);
struct node_event *node_tell(struct node *n, enum node_event_kind kind, const char *contact);
void node_log(const struct node *n, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* A session with c has not come about: transfers and pings hear it, messages wait. */
void node_connect_failed(struct node *n, struct contact *c, int err);
/* The session with c is up, but nothing comes of it. What has begun at `before` at the latest and was
 * not answered hears that; when the first of the others has begun is returned, UINT64_MAX: none. */
uint64_t node_peer_silent(struct node *n, struct contact *c, uint64_t before_us);
/* Nobody reads this stream any more: its end is taken note of, more bytes are refused. */
void stream_let_go(struct node *n, struct session_ref s, uint64_t stream);
/* Notes that a limit was met, for node_why; gives its error. */
int node_met(struct node *n, enum limit limit, uint64_t max) MUST_USE;

#endif
