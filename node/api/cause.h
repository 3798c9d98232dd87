/* cause.h: what a user has to know of an error beside its number (crypto/base/err.h): on which side
 * of a connection its cause lies, and, if a limit was met, which one and how large it is. Whoever
 * is told "the disk is full" must know whose.
 *
 * The side follows from who says it. What this node finds is about itself, but for what it finds
 * out about the peer (a broken protocol) or about the way between the two (nobody answers, bytes
 * that are not those that were sent). What a peer says is about the peer, but for the latter
 * (docs/PROTOCOL.md §6). Limits have numbers there, too: append, never renumber.
 *
 * Pure: shared with meshctl, which adds what to do about it (cli/kit/advice.h).
 */
#ifndef MESHD_NODE_API_CAUSE_H
#define MESHD_NODE_API_CAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

enum side { SIDE_LOCAL, SIDE_PEER, SIDE_BETWEEN };
enum { SIDES = SIDE_BETWEEN + 1 };

/* X(symbol, number, name, error, bytes or not, line of meshd.conf that sets it or "", here, at the
 * peer). */
#define LIMIT_LIST(X)                                                                              \
    X(LIMIT_TRANSFERS, 1, "transfers", ERR_FULL, false, "",                                        \
      "too many transfers are under way here", "too many transfers are under way at the peer")     \
    X(LIMIT_OFFERS, 2, "offers", ERR_FULL, false, "", "too many offers of files wait here",        \
      "too many offers of files wait at the peer")                                                 \
    X(LIMIT_OFFERS_CONTACT, 3, "offers_contact", ERR_FULL, false, "",                              \
      "too many offers of this contact wait here",                                                 \
      "too many offers of this node wait at the peer")                                             \
    X(LIMIT_OFFER_BYTES, 4, "offer_bytes", ERR_FULL, true, "",                                     \
      "the file names in the offers that wait here take too much memory",                          \
      "the file names in the offers that wait at the peer take too much memory")                   \
    X(LIMIT_OFFER_BYTES_CONTACT, 5, "offer_bytes_contact", ERR_FULL, true, "",                     \
      "the file names in this contact's offers take too much memory here",                         \
      "the file names in this node's offers take too much memory at the peer")                     \
    X(LIMIT_ACCEPT, 6, "accept_max", ERR_REFUSED, true, "accept_max",                              \
      "the transfer is larger than this node accepts",                                             \
      "the transfer is larger than the peer accepts")                                              \
    X(LIMIT_MANIFEST, 7, "manifest", ERR_FULL, true, "",                                           \
      "the names of the files are too much for one transfer",                                      \
      "the names of the files are too much for one transfer, says the peer")                       \
    X(LIMIT_FILES, 8, "files", ERR_USAGE, false, "", "there are too many files for one transfer",  \
      "there are too many files for one transfer, says the peer")                                  \
    X(LIMIT_CONTACTS, 9, "contacts", ERR_FULL, false, "", "there are too many contacts here",      \
      "there are too many contacts at the peer")                                                   \
    X(LIMIT_TICKETS, 10, "tickets", ERR_FULL, false, "", "too many tickets are open here",         \
      "too many tickets are open at the peer")                                                     \
    X(LIMIT_OUTBOX, 11, "outbox", ERR_FULL, false, "", "too many messages wait for this contact",  \
      "too many messages wait at the peer")                                                        \
    X(LIMIT_QUOTA, 12, "quota", ERR_FULL, true, "quota",                                           \
      "this contact's messages fill their quota here",                                             \
      "this node's messages fill their quota at the peer")                                         \
    X(LIMIT_QUOTA_ALL, 13, "quota_all", ERR_FULL, true, "quota_all",                               \
      "all contacts' messages together fill their quota here",                                     \
      "all messages together fill their quota at the peer")                                        \
    X(LIMIT_MESSAGES_CONTACT, 14, "messages_contact", ERR_FULL, false, "",                         \
      "there are too many messages of this contact here",                                          \
      "there are too many messages of this node at the peer")                                      \
    X(LIMIT_MESSAGES, 15, "messages", ERR_FULL, false, "", "there are too many messages here",     \
      "there are too many messages at the peer")                                                   \
    X(LIMIT_RECVS, 16, "recvs", ERR_FULL, false, "", "too many receptions stand here at once",     \
      "too many receptions stand at the peer at once")                                             \
    X(LIMIT_RECVS_CONNECTION, 17, "recvs_connection", ERR_FULL, false, "",                         \
      "too many receptions stand for this connection to meshd",                                    \
      "too many receptions stand for one connection at the peer")                                  \
    X(LIMIT_PINGS, 18, "pings", ERR_FULL, false, "", "too many pings are unanswered here",         \
      "too many pings are unanswered at the peer")                                                 \
    X(LIMIT_PINGS_CONNECTION, 19, "pings_connection", ERR_FULL, false, "",                         \
      "too many pings of this connection to meshd are unanswered",                                 \
      "too many pings of one connection are unanswered at the peer")                               \
    X(LIMIT_REQUESTS, 20, "requests", ERR_FULL, false, "",                                         \
      "too many requests of all programs wait for an answer of meshd",                             \
      "too many requests wait for an answer of the peer's meshd")                                  \
    X(LIMIT_REQUEST_BYTES, 21, "request_bytes", ERR_FULL, true, "",                                \
      "the request is larger or more deeply nested than meshd takes",                              \
      "the request is larger or more deeply nested than the peer's meshd takes")                   \
    X(LIMIT_OPEN_FILES, 22, "open_files", ERR_FULL, false, "",                                     \
      "all transfers together have too many files open here",                                      \
      "all transfers together have too many files open at the peer")                               \
    X(LIMIT_DESCRIPTORS, 23, "descriptors", ERR_FULL, false, "",                                   \
      "the system lets meshd open no more files here",                                             \
      "the system lets the peer's meshd open no more files")                                       \
    X(LIMIT_UNSYNCED, 24, "unsynced", ERR_FULL, false, "",                                         \
      "too much waits here until the disk has it for sure",                                        \
      "too much waits at the peer until its disk has it for sure")                                 \
    X(LIMIT_STREAMS, 25, "streams", ERR_FULL, false, "", "too many streams to the peer are open",  \
      "too many streams to the peer are open there")                                               \
    X(LIMIT_BEGINNINGS, 26, "beginnings", ERR_FULL, false, "", "the peer begins too much at once", \
      "this node begins too much at once for the peer")                                            \
    X(LIMIT_CONNECTIONS, 27, "connections", ERR_FULL, false, "",                                   \
      "too many programs are connected to meshd",                                                  \
      "too many programs are connected to the peer's meshd")                                       \
    X(LIMIT_DISK_QUOTA, 28, "disk_quota", ERR_DISK, true, "",                                      \
      "a quota of the file system is used up here",                                                \
      "a quota of the file system is used up at the peer")                                         \
    X(LIMIT_FILE_SIZE, 29, "file_size", ERR_DISK, true, "",                                        \
      "the file is larger than the file system takes here",                                        \
      "the file is larger than the file system takes at the peer")                                 \
    X(LIMIT_REQUEST_POOL, 30, "request_pool", ERR_FULL, true, "",                                  \
      "requests of all programs that are not complete take too much memory of meshd",              \
      "requests that are not complete take too much memory of the peer's meshd")

enum limit {
    LIMIT_NONE = 0,
#define X(sym, num, name, err, bytes, key, here, peer) sym = (num),
    LIMIT_LIST(X)
#undef X
        LIMITS
};

struct cause { /* zeroes: of this node, no limit */
    enum side side;
    enum limit limit;
    uint64_t max; /* of the limit; 0: not known */
};

struct failure { /* an error as it is told */
    int err;
    struct cause cause;
    const char *text;   /* NULL: cause_text's */
    const char *detail; /* what it is about; NULL: nothing */
};

enum { CAUSE_TEXT_MAX = 256, LIMIT_TEXT_MAX = 32 };

/* Of an error that this node has found. */
struct cause cause_here(int err);
/* Of one that a peer has told: in an answer, or with RESET or STOP. */
struct cause cause_said(int err, enum limit limit, uint64_t max);
/* "local", "peer", "between"; and back, SIDE_LOCAL if it is none of them. */
const char *side_name(enum side s);
enum side side_by_name(const char *name);

/* The limit of this number; LIMIT_NONE if there is none (a newer peer). */
enum limit limit_from_wire(uint64_t num);
enum limit limit_by_name(const char *name);
const char *limit_name(enum limit l); /* "" for LIMIT_NONE */
int limit_err(enum limit l);          /* the error of who meets it; 0 for LIMIT_NONE */
const char *limit_key(enum limit l);  /* of meshd.conf; "" if it is fixed, or the system's */
bool limit_is_systems(enum limit l);  /* meshd neither sets nor knows it */
/* "64", "32 MiB". */
void limit_text(char out[static LIMIT_TEXT_MAX], enum limit l, uint64_t max);

/* One sentence that says whose error it is, and of a limit how large and where it is set. Never
 * empty. */
void cause_text(char out[static CAUSE_TEXT_MAX], int err, const struct cause *c);

#endif
