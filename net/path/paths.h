/* paths.h: the places at which a session's peer is, was or may be, and by which of them packets
 * leave.
 *
 * One is in use. Beside it stand those that are being asked whether the peer is there
 * (path_challenge.h), those known to be the peer's (path_list.h), and what those that were left
 * were like (path_memory.h); each is made when the first of them comes, so that a session that
 * never moves does not pay for it. The one in use
 * may be in doubt: the peer was told of a place by a message that could have been copied, and has
 * not answered from there yet; then it gets no more than a place that only a packet's source names.
 *
 * A move is decided here and done by the owner: what is sent must know of it first. So a function
 * that finds a reason to move gives a struct paths_move, and paths_moved makes it so.
 *
 * Knows neither session nor transport: time and randomness are arguments. All zeroes is no place.
 */
#ifndef MESHD_NET_PATH_PATHS_H
#define MESHD_NET_PATH_PATHS_H

#include "net/path/path_challenge.h"
#include "net/path/path_list.h"
#include "net/path/path_memory.h"

struct path {
    struct hop hop;
    uint16_t number;   /* of its packets (net/recovery/sent.h); each stay has another */
    bool doubtful;     /* whether the peer is there is still to be seen */
    bool carries;      /* the session began there, or what left by it was acknowledged */
    bool asked_around; /* and other places were asked, too */
};

struct paths {
    struct path current;
    struct path_challenges *asked; /* NULL until there is one */
    struct path_memory *left;      /* likewise */
    struct path_list *known;       /* likewise: until there is a second one */
};

struct paths_move {
    enum {
        PATHS_STAY, /* nothing changes */
        PATHS_SURE, /* the peer is where it was thought to be: no doubt is left */
        PATHS_MOVE, /* it is at `to` now */
    } what;
    struct hop to;
    enum path_reason why;
};

void paths_clear(struct paths *p);
/* The session begins there. */
void paths_begin(struct paths *p, const struct hop *at, bool doubtful);
/* By which packets leave: the one place where that is decided. */
static inline const struct hop *paths_current(const struct paths *p) {
    return &p->current.hop;
}
static inline bool paths_doubtful(const struct paths *p) {
    return p->current.doubtful;
}
/* It is where packets go, and the peer has shown that it is there. */
bool paths_sure(const struct paths *p, const struct hop *at);
/* What left by it is acknowledged. */
static inline void paths_carries(struct paths *p) {
    p->current.carries = true;
}
/* A packet has come from there: so that is the socket for a place that is reached by any. */
void paths_settle(struct paths *p, const struct hop *from);

/* ---- what comes ---- */
/* The peer may be there as well: both are asked. From each so many bytes have come. */
void paths_doubt(struct paths *p, const struct rng *rng, uint64_t now_us, const struct hop *to,
                 size_t bytes);
/* An authentic packet; `moves`: it is the newest, and more than a probe. */
struct paths_move paths_heard(struct paths *p, const struct rng *rng, uint64_t now_us,
                              const struct hop *at, size_t bytes, bool moves) MUST_USE;
/* These bytes of a challenge have come back. `silent`: what leaves is not acknowledged. */
struct paths_move paths_answered(struct paths *p, const struct rng *rng, uint64_t now_us,
                                 const uint8_t data[static PATH_CHALLENGE_BYTES],
                                 const struct hop *from, bool silent) MUST_USE;
/* The owner has moved: what was left is asked once more whether it lives, or shunned. */
void paths_moved(struct paths *p, const struct rng *rng, uint64_t now_us,
                 const struct paths_move *m);

/* ---- several paths ---- */
/* The list, with the one in use in it; NULL: no memory, or that one is in doubt. */
struct path_list *paths_list(struct paths *p, uint64_t now_us);
/* The peer may be there: asked, and kept as standby if it answers. ERR_FULL, ERR_NOMEM; ERR_AGAIN:
 * the path in use is in doubt. */
int paths_offer(struct paths *p, uint64_t now_us, const struct hop *at) MUST_USE;
/* This place is none any more: forgotten. If it is the one in use the best of the others is to be
 * taken now; without one it stays, suspect. */
struct paths_move paths_withdraw(struct paths *p, uint64_t now_us, const struct hop *at) MUST_USE;
/* The peer has asked us from there. So it has this path, too: asked back. */
void paths_asked_from(struct paths *p, const struct rng *rng, uint64_t now_us, const struct hop *at,
                      size_t bytes);
/* These bytes have come back to a question of the list's: *ours. `chooses`: the side that began the
 * session, which goes where it is better. */
struct paths_move paths_place_answered(struct paths *p, uint64_t now_us,
                                       const uint8_t data[static PATH_CHALLENGE_BYTES],
                                       const struct hop *from, bool chooses, bool *ours) MUST_USE;
/* A move of our own to a place of the list. */
struct paths_move paths_to(struct paths *p, const struct path_place *to,
                           enum path_reason why) MUST_USE;

/* ---- what is asked ---- */
/* Is the peer there? If it answers, the path moves there. ERR_NOMEM. */
int paths_ask(struct paths *p, const struct rng *rng, uint64_t now_us,
              const struct hop *to) MUST_USE;
/* The first place does not answer: the others known, the best first, are asked once. */
void paths_ask_around(struct paths *p, const struct rng *rng, uint64_t now_us,
                      const struct hop *places, unsigned count);
/* The path in use is silent: does the one left last still live? */
void paths_rescue(struct paths *p, const struct rng *rng, uint64_t now_us);
/* The next challenge to be sent now, as a packet of so many bytes; it counts as sent. NULL:
 * none. */
const struct path_candidate *paths_due(struct paths *p, uint64_t now_us, size_t bytes);
/* The same of the list's. */
const struct path_place *paths_place_due(struct paths *p, const struct rng *rng, uint64_t now_us);
uint64_t paths_deadline_us(const struct paths *p);

/* ---- what may be sent ---- */
/* So many bytes may leave along the path in use. */
size_t paths_room(const struct paths *p);
/* May so many go there? They count if so. */
bool paths_spend(struct paths *p, const struct hop *to, size_t bytes);
/* The same for an answer to a question from there that was as long: also to a place that is not
 * being asked, of which nothing is counted. */
bool paths_answers(struct paths *p, const struct hop *to, size_t bytes);

/* ---- what they were like ---- */
void paths_remember(struct paths *p, const struct path_state *left);
/* NULL: not known, or too long ago. */
const struct path_state *paths_recall(const struct paths *p, const struct hop *at, uint64_t now_us);

#endif
