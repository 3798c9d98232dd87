/* path_challenge.h: can the peer be reached where its packets seem to come from? Asked before a
 * session's path moves there (RFC 9000 §8.2, §9.3): whoever sees a packet can send it on from
 * another place, and a hostile peer can name a victim's.
 *
 * A few places of one session, each in one of three states:
 *
 *   CHECKING  a PATH_CHALLENGE with 8 random bytes is out. It is sent again after
 *             PATH_CHALLENGE_RETRY_US, then after twice as long each time; after so many tries
 *             without an answer the place is forgotten.
 *   VALID     it has answered, and may be taken for PATH_VALID_US.
 *   SHUNNED   it was left since what went there was never acknowledged: not looked at for
 *             PATH_SHUN_US, unless the path taken instead is silent, too.
 *
 * A place that only a packet's source names gets at most PATH_AMPLIFICATION times the bytes that
 * have come from it (§8.1); the answer may come any way. Places that the peer has already answered
 * from and those the user names get the challenges without that bound. When all slots are in use,
 * the place heard longest ago gives way, if its check began at least PATH_CHECK_KEEP_US ago;
 * otherwise the new one is not looked at. While there are places that only packets have named, a
 * further one of these takes the slot of such a one only, and what there is better reason to ask
 * takes it at once. Value struct without IO, time and randomness are arguments.
 */
#ifndef MESHD_NET_PATH_PATH_CHALLENGE_H
#define MESHD_NET_PATH_PATH_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/rng.h"
#include "net/base/hop.h"
#include "net/path/path_memory.h"

enum {
    PATH_CANDIDATES = 3, /* the path left, and two that are new */
    PATH_CHALLENGE_BYTES = 8,
    PATH_CHALLENGE_RETRY_US = 200 * 1000,
    PATH_CHALLENGE_TRIES = 5,      /* within 6 s */
    PATH_CHALLENGE_TRIES_LEFT = 3, /* of a path that was left: mostly it is dead */
    PATH_AMPLIFICATION = 3,        /* RFC 9000 §8.1 */
    PATH_FULL_US =
        500 * 1000, /* after that, what may not leave for want of room is looked at again */
    PATH_DOUBT_US =
        600 * 1000, /* the first path of a session has not answered: others are asked, too */
    PATH_CHECK_KEEP_US = 300 * 1000,
    PATH_VALID_US = 3 * 1000000,
    PATH_SHUN_US = 10 * 1000000,
    PATH_SILENT_PTOS = 2, /* so many probe timeouts in a row: the path is silent */
    PATH_RETURN_US =
        60 * 1000000, /* so long after it was left a path is asked again if the new one is silent */
};

enum path_reason {
    PATH_HEARD,  /* packets come from there */
    PATH_ASKED,  /* the user wants to go there */
    PATH_LEFT,   /* the path moved away from there: does it still live? */
    PATH_RESCUE, /* the same, and what goes along the path of now is not acknowledged */
    /* Reasons to move only: */
    PATH_BETTER, /* the score (path_list.h) */
    PATH_SILENT, /* the path of now is silent, and what went along this one as well is answered */
    PATH_GONE,   /* the place of now was withdrawn */
};

struct path_candidate {
    enum { PATH_FREE, PATH_CHECKING, PATH_VALID, PATH_SHUNNED } state;
    enum path_reason reason;
    struct hop hop;
    bool wanted; /* to be taken once it has answered */
    uint8_t tries;
    uint8_t data[PATH_CHALLENGE_BYTES];
    uint64_t began_us, heard_us;
    uint64_t until_us; /* CHECKING: the next try; else the end of the state */
    uint64_t got_bytes, spent_bytes;
};

struct path_challenges { /* all zeroes: none */
    struct path_candidate v[PATH_CANDIDATES];
    struct hop before;         /* the path left last of those that were good */
    uint64_t before_us;        /* when; valid if `before` is one */
    struct path_damper damper; /* of the moves that answers lead to */
};

/* An authentic packet of so many bytes has come from a place that is not the path. `moves`: it is
 * the newest, and more than a probe. True: the place is known to be good and is to be taken now
 * (path_challenge_took). */
bool path_challenge_heard(struct path_challenges *p, const struct rng *rng, uint64_t now_us,
                          const struct hop *at, size_t bytes, bool moves);
/* Begins to check a place for another reason than PATH_HEARD, or goes on with one being checked. */
void path_challenge_begin(struct path_challenges *p, const struct rng *rng, uint64_t now_us,
                          const struct hop *at, enum path_reason why);
/* The next challenge to be sent now, as a packet of so many bytes; it counts as sent. NULL:
 * none. */
const struct path_candidate *path_challenge_due(struct path_challenges *p, uint64_t now_us,
                                                size_t bytes);
/* These bytes have come back. The place that is VALID now, whose `wanted` says whether the path is
 * to move there; NULL: no such challenge. */
const struct path_candidate *path_challenge_answered(
    struct path_challenges *p, uint64_t now_us, const uint8_t data[static PATH_CHALLENGE_BYTES],
    const struct hop *from);
/* They have come again, from the place itself, which has been VALID since they came from another
 * one; NULL: not so. */
const struct path_candidate *path_challenge_confirmed(
    const struct path_challenges *p, const uint8_t data[static PATH_CHALLENGE_BYTES],
    const struct hop *from);
bool path_challenge_knows(struct path_challenges *p, const struct hop *at);
bool path_challenge_shuns(struct path_challenges *p, uint64_t now_us, const struct hop *at);
/* The peer asks us from a place that we know nothing of: it is asked, too, within the bound of what
 * has come from there, and not taken. */
void path_challenge_return(struct path_challenges *p, const struct rng *rng, uint64_t now_us,
                           const struct hop *at, size_t bytes);
/* May so many other bytes go to a place that is being asked? They count if so. False, too, if it is
 * not. */
bool path_challenge_may_send(struct path_challenges *p, const struct hop *to, size_t bytes);
/* How many more bytes may go there before it has answered; 0 if it is not being asked. */
uint64_t path_challenge_room(struct path_challenges *p, const struct hop *to);
/* The path has moved from `left` to a place that need not be kept any more. What was left is
 * checked once more, or shunned. If both are the same place it is only known to be good. */
void path_challenge_took(struct path_challenges *p, const struct rng *rng, uint64_t now_us,
                         const struct hop *at, const struct hop *left, bool shun);
/* The path left was good: what went along it was acknowledged. */
void path_challenge_remember(struct path_challenges *p, uint64_t now_us, const struct hop *left);
/* The path of now is silent: asks the one remembered last, if that is not long ago and not being
 * asked. */
void path_challenge_rescue(struct path_challenges *p, const struct rng *rng, uint64_t now_us);
uint64_t path_challenge_deadline_us(const struct path_challenges *p);

#endif
