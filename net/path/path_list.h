/* path_list.h: the paths of a session that has more than one: the one in use and those beside it,
 * each in one state with the reason for it.
 *
 *   NEW        somebody says that the peer is there; nobody has asked yet
 *   PROBING    a PATH_CHALLENGE is out
 *   VALIDATED  the peer has answered from there: it can be taken at once (a standby)
 *   ACTIVE     packets leave by it
 *   SUSPECT    likewise, but nothing that was sent is acknowledged
 *   FAILED     no answer, or withdrawn; asked again, ever less often
 *
 * Places come in here once the session has been there, the user has offered them, or the peer has
 * answered there. What is not known to be the peer's, and what may be sent there, is
 * path_challenge.h's. While data flows, a VALIDATED place is asked every PATH_QUIET_US and a FAILED
 * one after PATH_FAILED_US, doubled each time; in a session that is idle nothing leaves. An answer
 * counts only if it comes from the place asked.
 *
 * The score says which is the best: the round trip without the queue that we make ourselves, more
 * for losses and for a relay, less for IPv6. Value structs; time and randomness are arguments.
 */
#ifndef MESHD_NET_PATH_PATH_LIST_H
#define MESHD_NET_PATH_PATH_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/rng.h"
#include "net/base/hop.h"
#include "net/path/path_challenge.h"
#include "net/recovery/rtt.h"

enum {
    PATHS_MAX = 8, /* beyond: a failed one gives way, else the new one is not taken */
    PATH_QUIET_US = 5 * 1000000,
    PATH_FLOW_US = 3 * 1000000, /* so long after the last data of a session it still flows */
    PATH_ASK_US = 500 * 1000,   /* without an answer: once more */
    PATH_ASK_TRIES = 3,         /* then it has failed */
    PATH_FAILED_US = 1000000,
    PATH_FAILED_MAX_US = 60 * 1000000,
    PATH_FORGET_US = 600 * 1000000, /* failed for so long, and nobody has offered it: forgotten */
    PATH_SUSPECT_US = 300 * 1000,   /* nothing acknowledged for so long, or */
    PATH_SUSPECT_RTTS = 3,          /* so many round trips if that is longer */
    PATH_HOLD_US = 1000000, /* after a move of our own the peer's late packets do not lead back */
    /* The score, and by how much and how often in a row another one must be better. */
    PATH_SCORE_LOSSES = 8,
    PATH_SCORE_IPV6_US = 3000,
    PATH_SCORE_RELAY_US = 25 * 1000,
    PATH_BETTER_US = 5000,
    PATH_BETTER_PART = 10, /* or a tenth of the score of the one in use */
    PATH_BETTER_SAMPLES = 3,
    PATH_BETTER_ASK_US = 1000000,  /* one that was better is asked again so soon */
    PATH_LAPSES_MAX = 4,           /* each time it was left silent doubles the samples needed */
    PATH_STEADY_US = 60 * 1000000, /* held so long: forgiven */
    PATH_LOSS_FREE_PERMILLE = 20,  /* what a congestion controller itself brings about */
    PATH_LOW_US = 20 * 1000000,    /* the least round trip of two such spans */
    PATH_REPORT_US = 1000000,      /* between two reports (endpoint_standby.c) */
    PATH_LOSS_WEIGHT = 8,          /* of a second's losses: one part of so many */
    PATH_LOSS_ENOUGH_PKTS = 16,    /* with fewer packets a second says nothing */
    PATH_BLACK_HOLE_LOSSES = 3,    /* full packets lost while small ones are reported */
};

enum path_status { PATH_NEW, PATH_PROBING, PATH_VALIDATED, PATH_ACTIVE, PATH_SUSPECT, PATH_FAILED };

enum path_why {
    PATH_WHY_BEGAN,
    PATH_WHY_OFFERED,
    PATH_WHY_ASKED,
    PATH_WHY_ANSWERS,
    PATH_WHY_WORSE,
    PATH_WHY_PEER,
    PATH_WHY_USER,
    PATH_WHY_BETTER,
    PATH_WHY_ONLY,
    PATH_WHY_ANSWERS_AGAIN,
    PATH_WHY_SILENT,
    PATH_WHY_NO_ANSWER,
    PATH_WHY_LEFT,
    PATH_WHY_WITHDRAWN,
    PATH_WHY_BLACK_HOLE,
    PATH_WHYS
};

struct path_place {
    struct hop hop;      /* of kind HOP_NONE: free */
    uint8_t status, why; /* enum path_status, enum path_why */
    bool offered;        /* by the user: not forgotten */
    bool out;            /* `data` is being asked with */
    bool resting;        /* due, but nothing flows */
    uint8_t tries, tries_max;
    uint8_t better, lapses;
    uint16_t number;    /* of its last stay (net/recovery/sent.h) */
    uint16_t mtu_bytes; /* of its last stay; 0: not known */
    uint16_t loss_permille;
    uint8_t data[PATH_CHALLENGE_BYTES];
    uint64_t since_us; /* when it came into its state */
    uint64_t heard_us; /* the last authentic packet from there; 0: none */
    uint64_t asked_us; /* the first challenge with `data` */
    uint64_t next_us;  /* when it is looked at again */
    uint64_t wait_us;  /* FAILED: what next_us was set with */
    struct rtt rtt;
    uint64_t low_us[2], low_since_us; /* 0: no sample */
    uint64_t got_pkts, got_bytes;     /* from there */
    uint64_t told_pkts;               /* of these the peer has been told */
    uint16_t got_largest_bytes;       /* since then */
    uint64_t theirs_pkts;             /* what the peer has got by it from us, as it says */
};

struct path_list { /* all zeroes is empty */
    struct path_place v[PATHS_MAX];
    uint64_t used_us;   /* data left or came */
    uint64_t silent_us; /* since when something waits for an acknowledgement, and none came; 0 */
    uint64_t hold_us;   /* `held` does not lead back before */
    struct hop held;
    struct hop copied_to; /* what left last while the one in use was SUSPECT went there as well */
    uint64_t report_us;   /* not told anything before */
    uint64_t loss_us;     /* when the losses were counted last, */
    uint64_t sent_pkts, lost_pkts, got_pkts, newest_pn; /* and what was counted by then */
};

/* The sentence for a user. */
const char *path_why_text(enum path_why why);
const char *path_status_text(enum path_status status);
/* The one way from a state to another; which ways there are is asserted. */
void path_enter(struct path_place *p, uint64_t now_us, enum path_status status, enum path_why why);

/* The place, or the one that stands for it by whatever socket; NULL: not known. */
struct path_place *path_list_find(struct path_list *l, const struct hop *at);
/* The one that packets leave by: there is always one (paths_list). */
struct path_place *path_list_active(struct path_list *l);
/* A NEW one. NULL: full of better ones; `must`: then the one heard longest ago gives way, but never
 * the one in use. */
struct path_place *path_list_add(struct path_list *l, uint64_t now_us, const struct hop *at,
                                 bool must);
void path_list_remove(struct path_place *p);
/* The best of those that can be taken at once; NULL: none. */
struct path_place *path_list_standby(struct path_list *l);
unsigned path_list_count(const struct path_list *l);

/* Data has left or has come. */
void path_list_used(struct path_list *l, uint64_t now_us);
/* The network changed: those that failed are asked as soon as data flows. */
void path_list_ask_failed(struct path_list *l, uint64_t now_us);
/* It is looked at again now. */
void path_place_ask(struct path_place *p, uint64_t now_us);
/* It has failed. */
void path_place_fail(struct path_place *p, uint64_t now_us, enum path_why why);
/* The next place to be sent its challenge `data`, which counts as sent. NULL: none now. */
struct path_place *path_list_due(struct path_list *l, const struct rng *rng, uint64_t now_us);
uint64_t path_list_deadline_us(const struct path_list *l);
/* These bytes have come back from where they went to; a PROBING place is VALIDATED. NULL: none of
 * ours. */
struct path_place *path_list_answered(struct path_list *l, uint64_t now_us,
                                      const uint8_t data[static PATH_CHALLENGE_BYTES],
                                      const struct hop *from);

/* Nothing is acknowledged along the one in use: it is SUSPECT, and the standbys are asked. */
void path_list_suspect(struct path_list *l, uint64_t now_us);
/* It was answered after all. */
void path_list_trust(struct path_list *l, uint64_t now_us);

/* A round trip; `loaded`: much of ours was under way, so that it can only lower the least one. */
void path_place_sample(struct path_place *p, uint64_t now_us, uint64_t rtt_us, bool loaded);
/* So many packets were sent in about a second, and so many of them lost. */
void path_place_losses(struct path_place *p, uint64_t sent, uint64_t lost);
/* In us; less is better. INT64_MAX: not known. */
int64_t path_place_score(const struct path_place *p);
/* After an answer from `p`: it was better than the one in use often enough in a row. */
bool path_list_prefers(struct path_list *l, struct path_place *p, uint64_t now_us);

#endif
