/* control_internal.h: what the control API's files share; included by node/control/control*.c only.
 *
 *   control.c                   requests in, dispatch, events
 *   control_conn.c              connections, their bytes out, whose share of memory
 *   control_args.c              strict arguments: tables, and getters that need no further checks
 *   control_wait.c              requests that are answered later
 *   control_hold.c              transfers that end with their connection
 *   control_show.c              contacts, sessions, transfers, events as maps
 *   control_methods.c           the table, and the daemon's own methods
 *   control_methods_peer.c      contact.*, ticket.*, peer.*
 *   control_methods_transfer.c  transfer.*, recv.*
 *   control_methods_message.c   message.*, events.*
 */
#ifndef MESHD_NODE_CONTROL_CONTROL_INTERNAL_H
#define MESHD_NODE_CONTROL_CONTROL_INTERNAL_H

#include "node/api/control_proto.h"
#include "node/control/control.h"

enum {
    CONTROL_WAITS_MAX = 512, /* unanswered requests; who has as many as are free gets ERR_FULL */
    CONTROL_RETRIES =
        8, /* attempts to connect of wait for=peer in one turn; the rest in the next */
    CONTROL_RECVS_MAX = 8, /* standing recv.start of one connection; further ones get ERR_FULL */
    CONTROL_OUT_SOFT = 1 << 20,    /* unread bytes above which progress notifications are dropped */
    CONTROL_OUT_PAUSE = 256 << 10, /* above it no further request of this client is carried out */
    CONTROL_OUT_KEEP = 64 << 10,   /* a larger buffer is given back once it has been read */
    CONTROL_LINGER_US = 5 * 1000000, /* so long the last bytes of a closing one wait to be read */
    CONTROL_PAGE_MAX = 256,          /* entries in one answer of a listing */
    CONTROL_PAGE_BYTES = 64 << 10,   /* and bytes after which it stops */
    CONTROL_PATH_MAX = 4096,         /* a path's bytes, as Linux has it */
    CONTROL_RECONNECT_US = 1000000,  /* wait for=peer: pause between two attempts */
    CONTROL_PINGS_MAX = 16,          /* unanswered pings of one connection; then ERR_FULL */
    CONTROL_FEW_MAX = 64,
    CONTROL_QUEUED_US =
        4 * 1000 * 1000, /* ticket.new, message.send: until it survives a power cut */
    CONTROL_ARGS_MAX = 6,
    CONTROL_TTL_MAX_S = 366 * 24 * 3600,
};
/* Longer than any wait that makes sense, and far from overflowing a time. */
#define CONTROL_TIMEOUT_MAX_US (UINT64_C(1) << 50)

struct conn {
    bool used, closing;
    bool ready; /* `in` holds a whole request, or what will never be one; or `held` waits */
    bool holds;
    struct proto_msg held; /* a large request, unpacked in an earlier turn */
    uint32_t generation;
    uint64_t close_us; /* when `closing`: its unread output is given up then */
    struct proto_reader in;
    size_t in_counted; /* bytes of `in` that are counted in the pool */
    uint8_t *out;      /* out[out_start..out_len) is to be written */
    size_t out_start, out_len, out_cap;
    uint32_t events; /* subscribed kinds: 1 << enum node_event_kind */
    uint64_t recvs[CONTROL_RECVS_MAX];
    unsigned recv_count;
};

enum wait_kind {
    WAIT_NONE,
    WAIT_PEER,
    WAIT_ADDED,
    WAIT_CONTACT,
    WAIT_PING,
    WAIT_TRANSFER,
    WAIT_QUEUED,
    WAIT_TICKET,
    WAIT_MESSAGE
};

/* A transfer that lives as long as the connection that asked for it. */
struct hold {
    uint64_t id; /* 0: none */
    uint32_t conn;
};

struct wait { /* one request that is answered later */
    enum wait_kind kind;
    uint32_t conn; /* index */
    uint32_t request;
    uint64_t ref;         /* ping id (WAIT_PEER: 0, none), transfer id, message seq or ticket id */
    uint64_t deadline_us; /* UINT64_MAX: none */
    bool until_offline;   /* WAIT_MESSAGE: no longer than until the peer is found not to answer */
    uint64_t
        retry_us; /* WAIT_PEER, WAIT_ADDED: when to connect again; UINT64_MAX while an attempt is under way */
    char contact[PETNAME_MAX + 1];
    char *ticket;   /* WAIT_TICKET: its text, owned, wiped when the wait ends */
    uint64_t ttl_s; /* and for how long it holds */
};

struct control {
    struct node *node;
    char *version, *state_dir, *socket_path, *config_path;
    bool private_network;
    struct addr listen[PEER_ADDRS_MAX];
    unsigned listen_count;
    int udp_gso, udp_gro;
    uint64_t longest_turn_us;
    bool shutdown;
    struct proto_writer w;               /* the message being made */
    size_t in_bytes, out_bytes;          /* of the two pools */
    unsigned next;                       /* connection whose turn it is */
    unsigned ready_count, closing_count; /* connections, so that a turn without any looks at none */
    struct control_work work;
    struct conn conns[CONTROL_CONNS_MAX];
    struct hold holds[TRANSFERS_MAX]; /* as many as can be under way */
    struct wait waits[CONTROL_WAITS_MAX];
    unsigned waits_end; /* from here on none is in use: looked at every turn */
};

/* ---- one request ---- */
enum arg_kind {
    ARG_STR,  /* max: bytes; no NUL inside */
    ARG_TEXT, /* max: bytes; anything inside */
    ARG_UINT, /* max: value, 0 = any */
    ARG_BOOL,
    ARG_STRS, /* array of ARG_STR; max: bytes of each; TRANSFER_FILES_MAX of them */
    ARG_FEW,  /* the same, CONTROL_FEW_MAX of them */
};
struct arg_spec {
    const char *name; /* NULL: no further arguments */
    enum arg_kind kind;
    bool required;
    uint64_t max;
};

struct call {
    struct control *c;
    struct conn *conn;
    uint64_t now_us;
    uint32_t id;
    const struct method *method;
    const msgpack_object *params; /* a checked map, or NULL if there are none */
    struct proto_writer *w;       /* a response is open: write one map, or return something else */
    char text[512], detail[256];  /* of an error */
    struct cause cause;           /* likewise; of a limit only where call_limit was asked */
};

enum { CALL_LATER = 1 }; /* the answer comes through control_wait.c */

struct method {
    const char *name;
    int (*run)(struct call *call); /* 0, CALL_LATER or an error */
    struct arg_spec args[CONTROL_ARGS_MAX + 1];
};
extern const struct method control_methods[];
const struct method *control_method(const char *name);

/* Makes the error's sentence; gives err back. fmt NULL: err_text. detail may be NULL. */
int call_fail(struct call *call, int err, const char *detail, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* A limit of the control API is met; gives its error. */
int call_limit(struct call *call, enum limit limit, uint64_t max, const char *detail);

/* ---- control_args.c ---- */
/* Checks params against the method's table. ERR_USAGE with a sentence that names the culprit. */
int args_check(struct call *call, const msgpack_object *params) MUST_USE;
bool arg_given(const struct call *call, const char *name);
uint64_t arg_uint(const struct call *call, const char *name, uint64_t fallback);
bool arg_bool(const struct call *call, const char *name);
/* Copies a string of at most cap - 1 bytes (the table says so); "" if not given. True if given. */
bool arg_str(const struct call *call, const char *name, char *out, size_t cap);
const char *arg_text(const struct call *call, const char *name, size_t *len);
/* An array of NUL-terminated strings in one allocation (free it); NULL: no memory. */
char **arg_strs(const struct call *call, const char *name, unsigned *count);
/* "limit", at most CONTROL_PAGE_MAX. */
uint64_t arg_limit(const struct call *call);
/* now + the argument in us; UINT64_MAX if not given or 0. */
uint64_t arg_deadline(const struct call *call, const char *name);

/* ---- control_conn.c ---- */
struct conn *conn_find(const struct control *c, uint32_t handle);
/* Appends the message in c->w to the connection's output, or closes it when it reads too slowly. */
void conn_push(struct control *c, uint64_t now_us, struct conn *conn);
/* Nothing more is read from it; what was written may still be fetched for a while. */
void conn_end(struct control *c, uint64_t now_us, struct conn *conn);
void conn_set_ready(struct control *c, struct conn *conn, bool ready);
/* Gives its buffers back. */
void conn_release(struct control *c, struct conn *conn);
/* Counts what `in` holds now. */
void conn_count_in(struct control *c, struct conn *conn);
/* Bytes that it may hold of the pool of requests. */
size_t conn_in_share(const struct control *c, const struct conn *conn);
uint64_t conn_deadline_us(const struct control *c);
void conn_timeout(struct control *c, uint64_t now_us);
static inline size_t conn_unread(const struct conn *conn) {
    return conn->out_len - conn->out_start;
}

/* ---- control_wait.c ---- */
/* A free wait for this call, or NULL: everything is taken. */
struct wait *wait_new(struct call *call, enum wait_kind kind, uint64_t deadline_us);
/* How many of this kind the connection has. */
unsigned wait_count(const struct control *c, const struct conn *conn, enum wait_kind kind);
void wait_drop_conn(struct control *c, uint64_t now_us, uint32_t conn_index);
void wait_event(struct control *c, uint64_t now_us, const struct node_event *e);
void wait_timeout(struct control *c, uint64_t now_us);
/* Without an answer. */
/* For wait for=peer: it is online, and not just not known to be gone. */
bool wait_peer_answers(const struct contact_info *info);
/* It is dialled, or asked in its session; the outcome comes as an event. What node_connect says. */
int wait_peer_try(struct control *c, uint64_t now_us, struct wait *w);
void wait_forget(struct control *c, struct wait *w);
uint64_t wait_deadline_us(const struct control *c);
/* The sentence for a contact that does not let this node in (node_denied). */
enum { DENIED_TEXT_MAX = 256 };
void denied_text(struct control *c, uint64_t now_us, const char *contact, int err,
                 char out[static DENIED_TEXT_MAX]);
/* Message `seq`, if it is one of ours. Its text is not to be used. */
bool own_message(struct node *n, uint64_t seq, struct message_info *out);

/* ---- control_hold.c ---- */
/* The connection's transfer ends with it. */
void hold_add(struct control *c, const struct conn *conn, uint64_t id);
void hold_drop_conn(struct control *c, uint64_t now_us, const struct conn *conn);

/* ---- control_show.c ---- */
void show_addr(struct proto_writer *w, const char *key, const struct addr *a);
void show_id(struct proto_writer *w, const char *key, const struct node_id *id);
void show_contact(struct proto_writer *w, const char *key, const struct contact_info *i);
void show_peer(struct proto_writer *w, const char *key, const struct contact_info *i);
void show_file(struct proto_writer *w, const char *name, uint64_t size);
void show_transfer(struct proto_writer *w, const char *key, const struct node *n,
                   const struct transfer_info *i, uint64_t now_us);
void show_message(struct proto_writer *w, const char *key, const struct message_info *i);
/* brief: of a message only its number. */
void show_event(struct proto_writer *w, struct node *n, const struct node_event *e, bool brief);
void show_status(struct control *c, struct proto_writer *w, uint64_t now_us);

/* ---- handlers ---- */
int do_version(struct call *call);
int do_shutdown(struct call *call);
int do_id(struct call *call);
int do_status(struct call *call);
int do_wait(struct call *call);
int do_ticket_new(struct call *call);
int do_ticket_end(struct call *call);
int do_contact_add(struct call *call);
int do_contact_list(struct call *call);
int do_contact_remove(struct call *call);
int do_contact_rename(struct call *call);
int do_peer_connect(struct call *call);
int do_peer_list(struct call *call);
int do_peer_ping(struct call *call);
int do_transfer_send(struct call *call);
int do_transfer_list(struct call *call);
int do_transfer_get(struct call *call);
int do_transfer_files(struct call *call);
int do_transfer_accept(struct call *call);
int do_transfer_reject(struct call *call);
int do_transfer_cancel(struct call *call);
int do_transfer_wait(struct call *call);
int do_recv_start(struct call *call);
int do_recv_stop(struct call *call);
int do_message_send(struct call *call);
int do_message_list(struct call *call);
int do_message_wait(struct call *call);
int do_message_delete(struct call *call);
int do_events_subscribe(struct call *call);
int do_events_unsubscribe(struct call *call);

#endif
