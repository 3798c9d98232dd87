/* event.h: what a node tells. */
#ifndef MESHD_NODE_BASE_EVENT_H
#define MESHD_NODE_BASE_EVENT_H

#include <stdint.h>

#include "crypto/identity/identity.h"
#include "net/base/addr.h"
#include "node/api/cause.h"
#include "node/base/limits.h"

enum node_event_kind {
    NODE_PEER_UP,        /* contact */
    NODE_PEER_DOWN,      /* contact, err */
    NODE_CONNECT_FAILED, /* contact, err: node_denied, or another */
    NODE_CONTACT_ADDED,  /* contact: by us or through a ticket */
    NODE_CONTACT_REMOVED,
    NODE_PATH_CHANGED,      /* contact, addr (or none), from, to, detail: why */
    NODE_TRANSFER_OFFERED,  /* transfer id, contact: an incoming one that waits for accept */
    NODE_TRANSFER_STARTED,  /* accepted; bytes begin to flow */
    NODE_TRANSFER_PROGRESS, /* at most 5 a second per transfer: bytes, total */
    NODE_TRANSFER_DONE,     /* receiver has verified and fsynced everything */
    NODE_TRANSFER_FAILED,   /* err, detail */
    NODE_MESSAGE,           /* id = seq: a message has come and survives a power cut */
    NODE_MESSAGE_DELIVERED, /* id = seq */
    NODE_PONG,              /* id, rtt_us, addr, contact */
    NODE_PING_FAILED,       /* id, err, contact */
    NODE_CONTACT_RENAMED,   /* contact: the new name; detail: the old one */
    NODE_PAIRING_FAILED, /* contact, err: what a ticket began could not be stored; it still holds */
    NODE_MESSAGE_QUEUED, /* id = seq: one of ours survives a power cut */
    NODE_MESSAGE_REFUSED, /* id = seq, err: the peer does not take it now; it is sent again */
    NODE_MESSAGE_FAILED,  /* id = seq, err: the peer will never take it; the next one goes */
    NODE_MESSAGE_FULL,    /* contact: its messages find no room here; total: its quota in bytes */
    NODE_TICKET_STORED,   /* id = node_ticket_id: it survives a power cut */
    NODE_CONTACT_DENIED,  /* contact, err: their node does not let this one in any more; once */
    NODE_PEER_SILENT,     /* contact, err: a session is up, but it has not answered */
    NODE_PEER_ANSWERS,    /* contact: it has been heard again */
    NODE_RELAY, /* id: the relay's serial; relay: what has happened to it; detail: a sentence */
};
enum { NODE_EVENT_KINDS = NODE_RELAY + 1 };
enum relay_news {
    RELAY_NEWS_HOME,       /* this node can be reached through it now, */
    RELAY_NEWS_LOST,       /* and not any more: it does not answer, or refuses */
    RELAY_NEWS_LEFT,       /* and not any more: another one is better */
    RELAY_NEWS_REFUSED,    /* it does not take this node in */
    RELAY_NEWS_RESTARTING, /* it has said so */
    RELAY_NEWS_WRONG_KEY,  /* another node answers at its address */
};
const char *relay_news_name(enum relay_news n);      /* "home", "wrong_key", ... */
const char *node_event_name(enum node_event_kind k); /* "peer.up", "transfer.progress", ... */

enum { PLACE_TEXT_MAX = ADDR_TEXT_MAX + 16 };

struct node_event {
    enum node_event_kind kind;
    uint64_t now_us;
    char contact[PETNAME_MAX + 1]; /* what it is called now */
    struct node_id node;           /* who that is; zeroes if contact is empty */
    uint64_t id;
    int err;
    struct cause cause; /* of err */
    uint64_t bytes, total, rtt_us;
    struct addr addr;
    enum relay_news relay;
    char from[PLACE_TEXT_MAX], to[PLACE_TEXT_MAX]; /* as reach_text says them */
    char detail[256];                              /* likewise */
};

#endif
