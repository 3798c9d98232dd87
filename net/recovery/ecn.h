/* ecn.h: explicit congestion notification of one session: what arrived with which mark (told to the
 * peer in ACK_ECN), and whether the path carries marks, so that ours may be set (RFC 9000 §13.4,
 * RFC 3168, RFC 8311). ECT(0) is the only mark we set: ECT(1) belongs to L4S.
 *
 *   TESTING   ECN_TEST_PKTS of a path that ask for an acknowledgement carry ECT(0). The first of
 *             them leaves behind a packet without: where marks are dropped, a question and its
 *             answer get through all the same, and nobody seems to be dead
 *   UNKNOWN   that many are out, or the path is silent: nothing is marked until their fate is known
 *   CAPABLE   one of them was acknowledged, with counts that are right: everything is marked
 *   FAILED    counts are missing, too low, go back, or are of a mark we did not set; or no marked
 *             packet comes through. Nothing is
 *             marked until the path changes
 *
 * A path that drops what is marked is told from one that just loses a packet by trying again:
 * ECN_TEST_PKTS or ECN_TESTS_MAX tests must be lost altogether. While it is tested, what a timeout
 * sends is not marked (RFC 9000 appendix A.4 waits three timeouts; a black hole costs one here).
 * After ECN_SILENT_PTOS timeouts in a row a CAPABLE path is tested again, once it answers: the
 * route may have changed. Value struct, all zeroes is a new one; lives as long as the session,
 * because counts never go back.
 */
#ifndef MESHD_NET_RECOVERY_ECN_H
#define MESHD_NET_RECOVERY_ECN_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/ecn_field.h"

enum { ECN_TEST_PKTS = 10, ECN_TESTS_MAX = 2, ECN_SILENT_PTOS = 2 };

enum ecn_state { ECN_TESTING, ECN_UNKNOWN, ECN_CAPABLE, ECN_FAILED };

struct ecn {
    struct ecn_counts seen; /* of the peer's packets, each once */
    enum ecn_state state;
    uint8_t serial;                /* of this test */
    bool has_told;                 /* told_largest and told are set */
    uint32_t test_sent, test_lost; /* its marked packets */
    uint32_t lost, tests;   /* on this path: in tests that are over, and how many those are */
    uint64_t marked;        /* packets of ours that ever left with ECT(0) */
    uint64_t told_largest;  /* the largest number acknowledged so far */
    struct ecn_counts told; /* what the peer has last told of ours */
};

/* A packet of the peer's that will be acknowledged. */
void ecn_received(struct ecn *e, uint8_t field);
/* The session has moved: the test begins again. */
void ecn_new_path(struct ecn *e);
/* Is the next packet to be marked, if it asks for an acknowledgement, so that its fate will be
 * known? `follows`: others are out that ask for one. */
static inline bool ecn_marks(const struct ecn *e, bool follows) {
    return e->state == ECN_CAPABLE || (e->state == ECN_TESTING && (follows || e->test_sent > 0));
}
/* A marked packet leaves. Gives the serial that ecn_lost wants, never 0. */
uint8_t ecn_sent(struct ecn *e, bool eliciting);
/* Is the path's fate under that test still open? Then a loss says nothing about congestion: at most
 * a first train is lost so. */
bool ecn_in_test(const struct ecn *e, uint8_t of);
/* A packet marked under this serial is lost. True if that means the end of marking. */
bool ecn_lost(struct ecn *e, uint8_t of);
/* The probe timeout has run out so many times in a row. */
void ecn_timeout(struct ecn *e, uint32_t times);

enum ecn_verdict { ECN_AS_BEFORE, ECN_VALIDATED, ECN_REFUTED };
/* An ACK of numbers up to `largest`, with counts or without (NULL), that settles `fresh` marked
 * packets of this path. *ce: how many more of ours have met congestion, 0 where that cannot be
 * believed (RFC 9000 §13.4.2.1, RFC 9002 §B.7). */
enum ecn_verdict ecn_acked(struct ecn *e, uint64_t largest, const struct ecn_counts *counts,
                           uint64_t fresh, uint64_t *ce);

#endif
