/* node.h: one meshd node as a state machine without IO: identity, contacts, tickets, the file and
 * message channels. meshd puts libuv around it, meshsim a virtual world, tests themselves.
 *
 * In: now, datagrams, commands, finished file operations, names looked up. Out, pulled: trains,
 * events, file operations, names to look up, the next deadline. After any input the environment
 * pulls node_next_file_op, node_next_resolve, node_poll and node_output until each gives nothing,
 * and arms one timer. One thread. Strings given in are copied.
 */
#ifndef MESHD_NODE_NODE_H
#define MESHD_NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/base/limits.h"
#include "net/endpoint.h"
#include "node/api/cause.h"
#include "node/base/env.h"
#include "node/base/event.h"
#include "node/base/limits.h"
#include "node/base/relay_config.h"
#include "node/base/resolve.h"
#include "node/call/datagram.h"
#include "node/disk/file_op.h"
#include "node/file/transfer/transfer_info.h"
#include "node/mesh/relay_info.h"
#include "node/message/message_info.h"
#include "node/people/contact_info.h"

struct node;

struct node_config {
    const struct identity *identity; /* copied */
    uint8_t network_id[32];
    enum accept_rule accept;
    bool lazy;                 /* dials no contact but for what somebody wants of it */
    const char *download_dir;  /* where accepted files go by default */
    uint64_t accept_max_bytes; /* larger transfers are refused; 0 = no limit */
    enum cc_kind cc;
    enum aead_provider aead;
    unsigned suites;                  /* AEAD suites offered; 0 = all this machine has */
    struct addr tell[PEER_ADDRS_MAX]; /* our own addresses, for tickets */
    unsigned tell_count;
    uint64_t wall_us;
    uint32_t blocks_max;                  /* see endpoint_config */
    uint64_t message_quota_bytes;         /* of all contacts' messages; 0: MESSAGES_BYTES_MAX */
    uint64_t message_quota_contact_bytes; /* of one's; 0: MESSAGES_CONTACT_BYTES_MAX */
    uint16_t mtu_max_bytes;               /* likewise */
    const struct relay_config *relay;     /* copied; NULL: relay_config_init's */
    enum path_policy path;                /* of contacts without one of their own */
};

struct node_policy { /* of a node_config what can change while the node runs */
    enum accept_rule accept;
    const char *download_dir;
    uint64_t accept_max_bytes;
    uint64_t message_quota_bytes, message_quota_contact_bytes;
    const struct relay_config *relay; /* copied; NULL: relay_config_init's */
    enum path_policy path;
};

struct node *node_new(const struct node_config *cfg, const struct env *env,
                      uint64_t now_us); /* NULL: no memory or a broken store */
void node_free(struct node *n);
const struct node_id *node_self(const struct node *n);
/* The cause of the error that the last command gave: with the limit that it met. Forgotten then. */
struct cause node_why(struct node *n, int err);
void node_set_wall(struct node *n, uint64_t now_us, uint64_t wall_us);
uint64_t node_wall_s(const struct node *n, uint64_t now_us); /* since 1970, as told */
/* Holds for what comes from now on: an offer that waits goes on waiting. */
void node_set_policy(struct node *n, const struct node_policy *p);
void node_get_policy(const struct node *n, struct node_policy *out); /* valid until it is set */
void node_set_tell(struct node *n, const struct addr *addrs, unsigned count);

/* ---- the world ---- */
void node_input(struct node *n, uint64_t now_us, const struct train_in *r);
bool node_output(struct node *n, uint64_t now_us, struct train *t);
uint64_t node_deadline_us(const struct node *n);
void node_timeout(struct node *n, uint64_t now_us);
/* The next operation to run, or NULL. Owned by the core; give it back with node_file_done. */
struct file_op *node_next_file_op(struct node *n);
void node_file_done(struct node *n, uint64_t now_us, struct file_op *op);
/* The next host name to look up; false: none. Each comes back by node_resolved, with the addresses
 * found (their ports are not looked at; 0: none), in another call than this one. */
bool node_next_resolve(struct node *n, struct resolve *out);
void node_resolved(struct node *n, uint64_t now_us, uint64_t id, const struct addr *addrs,
                   unsigned count);
/* This machine has another address or route than before, or has slept: peers are told where it is
 * now, spread over time (node/peer/dial.h). */
void node_network_changed(struct node *n, uint64_t now_us);
/* The network refused a datagram of this size; or says so of one (endpoint_icmp_too_big). */
void node_too_big(struct node *n, uint64_t now_us, const struct addr *to, size_t bytes);
void node_icmp_too_big(struct node *n, uint64_t now_us, const struct icmp_quote *q,
                       size_t fits_bytes);
/* Says goodbye: CLOSE to every session, transfers end with ERR_CLOSED. Pull output once more after
 * it. */
void node_shutdown(struct node *n, uint64_t now_us);

/* ---- contacts and tickets ---- */
/* A text that lets its holder reach this node; with a one-time secret that makes the holder a
 * contact under `name` (NULL: "peer-" and the first 8 characters after "mesh1" of the holder's id).
 * ERR_FULL, ERR_EXISTS (name), ERR_UNSUPPORTED (the node is reached by relays only, and has none).
 * */
int node_ticket_new(struct node *n, uint64_t now_us, const char *name, uint64_t ttl_s,
                    char out[static TICKET_TEXT_MAX + 1]) MUST_USE;
/* NODE_TICKET_STORED names it so; 0: not a ticket with a secret. */
uint64_t node_ticket_id(const char *ticket);
/* Nobody gets in with it any more. ERR_FORMAT, ERR_NOT_FOUND, ERR_DISK, ERR_IO. */
int node_ticket_end(struct node *n, uint64_t now_us, const char *ticket) MUST_USE;
/* For a contact of that name and id: its ticket once more, or another. ERR_FORMAT (the ticket),
 * ERR_UNSUPPORTED (a newer kind of ticket), ERR_EXISTS (name or id taken), ERR_USAGE (bad name, own
 * ticket), ERR_TIMEOUT (expired), ERR_DISK, ERR_NOMEM. Starts a session at once, so that the
 * one-time secret is used while fresh: NODE_PEER_UP or NODE_CONNECT_FAILED says what became of it.
 * */
int node_contact_add(struct node *n, uint64_t now_us, const char *name,
                     const char *ticket) MUST_USE;
int node_contact_remove(struct node *n, uint64_t now_us, const char *name) MUST_USE;
/* From now on it is called `to`: in the history, in transfers and rules, too. ERR_NOT_FOUND,
 * ERR_USAGE (bad name), ERR_EXISTS, ERR_DISK, ERR_IO. */
int node_contact_rename(struct node *n, uint64_t now_us, const char *name, const char *to) MUST_USE;
/* By which ways it may be reached, from now on. ERR_NOT_FOUND, ERR_DISK, ERR_IO. */
int node_contact_path(struct node *n, uint64_t now_us, const char *name,
                      enum contact_path path) MUST_USE;
/* i = 0.. until false; ordered by name. */
bool node_contact_at(const struct node *n, uint64_t now_us, unsigned i, struct contact_info *out);
bool node_contact_get(const struct node *n, uint64_t now_us, const char *name,
                      struct contact_info *out);
bool node_contact_by_id(const struct node *n, uint64_t now_us, const struct node_id *id,
                        struct contact_info *out);
/* The error says that the contact's node has answered, and does not let this one in: ERR_TICKET
 * (its ticket was used already, has expired, or was never theirs), ERR_UNKNOWN (it has removed this
 * node), ERR_SECRET (it shares another secret with it), ERR_STALE (it knows a newer key of it),
 * ERR_AUTH (another node answers). Messages stay queued. */
bool node_denied(int err);
/* Starts a session if there is none. */
int node_connect(struct node *n, uint64_t now_us, const char *name) MUST_USE;
/* Connects if needed, then one echo: NODE_PONG or NODE_PING_FAILED with *id. timeout_us 0: 5 s, and
 * ERR_OFFLINE as soon as the peer is found not to answer (node/peer/dial.h); else it is waited
 * for. */
int node_ping(struct node *n, uint64_t now_us, const char *name, uint64_t timeout_us,
              uint64_t *id) MUST_USE;
/* Nobody waits for it any more: no event follows. */
void node_ping_stop(struct node *n, uint64_t id);

/* ---- relays ---- */
/* The relays that this node knows, homes first: i = 0.. until false. */
bool node_relay_at(const struct node *n, unsigned i, struct relay_info *out);
/* The one that an event is about (its id). */
bool node_relay_get(const struct node *n, uint64_t serial, struct relay_info *out);

/* ---- files ---- */
/* Offers files (not directories yet) to a contact. The outcome comes as NODE_TRANSFER_DONE /
 * _FAILED. timeout_us: until the peer has accepted; 0 = none. ERR_NOT_FOUND (contact), ERR_USAGE
 * (no path, two files of one name), ERR_FULL, ERR_NOMEM. */
int node_send(struct node *n, uint64_t now_us, const char *contact, const char *const *paths,
              unsigned count, uint64_t timeout_us, uint64_t *id) MUST_USE;
/* The same with all that can be said of it. The paths, pointers and text in one allocation, are
 * taken over, also on an error: megabytes of them are not copied. */
int node_send_taken(struct node *n, uint64_t now_us, const struct send_order *order,
                    uint64_t *id) MUST_USE;
/* Whether it is an offer that waits for one of these two. */
bool node_transfer_waits(const struct node *n, uint64_t id);
/* dir NULL: the download directory. ERR_NOT_FOUND; ERR_USAGE if it is not waiting, or for want of a
 * directory. */
int node_accept(struct node *n, uint64_t now_us, uint64_t id, const char *dir) MUST_USE;
int node_reject(struct node *n, uint64_t now_us, uint64_t id) MUST_USE;
int node_cancel(struct node *n, uint64_t now_us, uint64_t id) MUST_USE;
/* Whoever wanted it is gone: it ends like a cancelled one, if it has not ended yet. */
void node_transfer_abandon(struct node *n, uint64_t now_us, uint64_t id);
/* While it stands, transfers from `contact` (NULL: any contact), whatever it is called later, are
 * accepted into `dir`; once: only the first. Offers already waiting are taken at once. */
int node_recv_start(struct node *n, uint64_t now_us, const char *dir, const char *contact,
                    bool once, uint64_t *id) MUST_USE;
void node_recv_stop(struct node *n, uint64_t id);
/* False once it was stopped, or used up by the transfer it was for. */
bool node_recv_stands(const struct node *n, uint64_t id);
/* i = 0.. until false; newest last. Ended ones are kept for a while (the last 64), also over a
 * restart; what was under way when the process died is among them, with ERR_ENDED. */
bool node_transfer_at(const struct node *n, unsigned i, struct transfer_info *out);
bool node_transfer_get(const struct node *n, uint64_t id, struct transfer_info *out);
/* Names of a transfer's files as the sender gave them: NULL at the end. They are there before it is
 * accepted; of one that has ended perhaps only the first TRANSFER_FIRST_FILES. Peer-supplied:
 * escape before showing. */
const char *node_transfer_file(const struct node *n, uint64_t id, uint32_t i, uint64_t *size);

/* ---- messages ---- */
/* Stored, then sent, repeated until the peer has stored it. NODE_MESSAGE_QUEUED follows when it
 * survives a power cut, and only then it is shown and leaves; NODE_MESSAGE_DELIVERED when the peer
 * has it. ERR_NOT_FOUND, ERR_USAGE (empty, too long, not UTF-8), ERR_FULL, ERR_DISK, ERR_IO. */
int node_message_send(struct node *n, uint64_t now_us, const char *contact, const char *text,
                      size_t len, uint64_t *seq) MUST_USE;
/* The first message with seq > after of `contact` (a petname, or the node id of who was one), or of
 * all if NULL. */
bool node_message_next(struct node *n, uint64_t after, const char *contact,
                       struct message_info *out);
/* Whether there is such a contact, or a conversation with such a node. */
bool node_message_with(struct node *n, const char *contact);
/* Deletes a conversation's messages with after < seq <= upto, a bounded number in one step; those
 * that wait to be delivered stay. ERR_NOT_FOUND, ERR_DISK, ERR_IO. */
int node_message_delete(struct node *n, uint64_t now_us, const char *contact, uint64_t after,
                        uint64_t upto, struct message_cut *out) MUST_USE;

/* ---- datagrams: what calls are made of ---- */
/* At most once, unordered, ahead of stream data; dropped unsent after deadline_us (monotonic).
 * ERR_NOT_FOUND (contact), ERR_OFFLINE (no session is up), ERR_USAGE (empty or over
 * NODE_DATAGRAM_MAX_BYTES), ERR_NOMEM. */
int node_datagram_send(struct node *n, uint64_t now_us, const char *contact, const void *data,
                       size_t len, uint64_t deadline_us) MUST_USE;
/* The oldest unread one; false: none. */
bool node_datagram_next(struct node *n, struct node_datagram *out);

/* ---- events ---- */
bool node_poll(struct node *n, struct node_event *out);

/* What peers and the world did to it, since its start; sessions that are up; half-open
 * handshakes. */
const struct endpoint_counters *node_counters(const struct node *n);
uint32_t node_session_count(const struct node *n);
uint32_t node_half_open_count(const struct node *n);
struct node_status {
    uint64_t uptime_us;
    uint32_t contacts, online; /* online: of the contacts; sessions: with relays, too */
    uint32_t sessions, half_open, transfers, messages_queued;
    uint64_t message_bytes, message_quota_bytes, message_quota_contact_bytes; /* of incoming ones */
    const struct endpoint_counters *counters;
    struct relay_use relay;
};
void node_status(const struct node *n, uint64_t now_us, struct node_status *out);

#endif
