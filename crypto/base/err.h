/* err.h: the one list of things that can go wrong, shared by every room of the house.
 *
 * Functions that can fail return `int`: 0, or one of these (all negative). Each has a short
 * stable name (used in logs, in JSON and on the wire as its positive number) and a sentence a
 * person can act on. The process exit code that meshctl gives for it is part of the list, so
 * that the table in docs/CONTROL.md and the code cannot drift apart.
 */
#ifndef MESHD_CRYPTO_BASE_ERR_H
#define MESHD_CRYPTO_BASE_ERR_H

#if defined(__GNUC__)
#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#else
#define MUST_USE
#define PRINTF_LIKE(f, a)
#endif

/* X(symbol, number, name, exit code, sentence). Numbers travel in frames and in the control
 * API: append, never renumber. */
#define ERR_LIST(X)                                                                                \
    X(ERR_FAILED, 1, "failed", 1, "the operation failed")                                          \
    X(ERR_USAGE, 2, "usage", 2, "the arguments do not make sense")                                 \
    X(ERR_NO_DAEMON, 3, "no_daemon", 3, "meshd is not running")                                    \
    X(ERR_NOT_FOUND, 4, "not_found", 4, "there is nothing of that name")                           \
    X(ERR_REFUSED, 5, "refused", 5, "the peer refused")                                            \
    X(ERR_OFFLINE, 6, "offline", 6, "the peer cannot be reached now")                              \
    X(ERR_AUTH, 7, "auth", 7, "the other side is not who it should be")                            \
    X(ERR_INTEGRITY, 8, "integrity", 8, "what arrived is not what was sent")                       \
    X(ERR_DISK, 9, "disk", 9, "the disk is full or a quota is used up")                            \
    X(ERR_TIMEOUT, 10, "timeout", 10, "it took longer than allowed")                               \
    X(ERR_NOMEM, 11, "nomem", 1, "out of memory")                                                  \
    X(ERR_FULL, 12, "full", 1, "a limit is reached; try again later")                              \
    X(ERR_EXISTS, 13, "exists", 5, "the name is already taken")                                    \
    X(ERR_IO, 14, "io", 1, "reading or writing failed")                                            \
    X(ERR_PERM, 15, "permission", 1, "permission denied")                                          \
    X(ERR_PROTO, 16, "protocol", 1, "the other side broke the protocol")                           \
    X(ERR_STALE, 17, "stale", 7, "their node knows a newer key of this node than it has now")      \
    X(ERR_CLOSED, 18, "closed", 6, "the connection is closed")                                     \
    X(ERR_RESET, 19, "reset", 1, "the other side gave up")                                         \
    X(ERR_AGAIN, 20, "again", 1, "not now; try again when told so")                                \
    X(ERR_UNSUPPORTED, 21, "unsupported", 1, "not supported here")                                 \
    X(ERR_CANCELLED, 22, "cancelled", 1, "it was cancelled")                                       \
    X(ERR_FORMAT, 23, "format", 2, "the text or file is not in the expected form")                 \
    X(ERR_CHANGED, 24, "changed", 8, "the file changed while it was being read")                   \
    X(ERR_UNSIZED, 25, "unsized", 1,                                                               \
      "the file has no fixed size (it is made while it is read, as those in /proc are)")           \
    X(ERR_TICKET, 26, "ticket", 7,                                                                 \
      "their node does not take the ticket: used already, expired, or not theirs")                 \
    X(ERR_UNKNOWN, 27, "unknown", 7, "this node is not among their contacts")                      \
    X(ERR_SECRET, 28, "secret", 7,                                                                 \
      "they have this node as a contact, but with another secret than it has")                     \
    X(ERR_ENDED, 30, "ended", 1, "meshd was ended while it was under way")                         \
    X(ERR_NAME, 31, "name", 2, "a file of this name cannot be sent")

enum err {
    ERR_OK = 0,
#define X(sym, num, name, code, text) sym = -(num),
    ERR_LIST(X)
#undef X
};

/* The stable name of `err` ("ok" for 0, "unknown" for a number not in the list). Static. */
const char *err_name(int err);

/* One sentence without a full stop, lower case. Static storage. */
const char *err_text(int err);

/* The exit code of meshctl for this error (docs/CONTROL.md); 1 for a number not in the list. */
int err_exit_code(int err);

/* The error whose positive wire number is `num`; ERR_FAILED if there is none (a newer peer). */
int err_from_wire(unsigned long long num);

#endif
