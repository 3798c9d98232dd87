/* ecn.c: RFC 9000 §13.4 and appendix A.4. */
#include "net/recovery/ecn.h"

void ecn_received(struct ecn *e, uint8_t field) {
    switch (field & ECN_MASK) {
    case ECN_ECT0:
        e->seen.ect0++;
        break;
    case ECN_ECT1:
        e->seen.ect1++;
        break;
    case ECN_CE:
        e->seen.ce++;
        break;
    default:
        break;
    }
}

static void test(struct ecn *e) {
    e->state = ECN_TESTING;
    e->test_sent = e->test_lost = 0;
    e->serial++;
}

void ecn_new_path(struct ecn *e) {
    test(e);
    e->lost = e->tests = 0;
}

static uint8_t serial(const struct ecn *e) {
    return (uint8_t)(e->serial % UINT8_MAX + 1);
}

uint8_t ecn_sent(struct ecn *e, bool eliciting) {
    e->marked++;
    if (eliciting && e->state != ECN_CAPABLE && ++e->test_sent >= ECN_TEST_PKTS)
        e->state = ECN_UNKNOWN; /* the rest of this train is part of the test, too */
    return serial(e);
}

bool ecn_in_test(const struct ecn *e, uint8_t of) {
    return (e->state == ECN_TESTING || e->state == ECN_UNKNOWN) && of == serial(e);
}

bool ecn_lost(struct ecn *e, uint8_t of) {
    if (!ecn_in_test(e, of))
        return false;
    e->test_lost++;
    if (e->state == ECN_TESTING || e->test_lost < e->test_sent)
        return false; /* the others may still come through */
    e->lost += e->test_lost;
    e->tests++;
    if (e->lost < ECN_TEST_PKTS && e->tests < ECN_TESTS_MAX) {
        test(e);
        return false;
    }
    e->state = ECN_FAILED;
    return true;
}

void ecn_timeout(struct ecn *e, uint32_t times) {
    if (e->state == ECN_CAPABLE && times >= ECN_SILENT_PTOS) {
        ecn_new_path(e);
        e->state = ECN_UNKNOWN;
    } else if (e->state == ECN_TESTING && e->test_sent > 0) {
        e->state = ECN_UNKNOWN;
    }
}

/* RFC 9000 §13.4.2.1. */
static bool counts_are_right(const struct ecn *e, const struct ecn_counts *c, uint64_t fresh) {
    return c->ect0 >= e->told.ect0 && c->ce >= e->told.ce && c->ect1 == e->told.ect1 &&
           c->ect0 - e->told.ect0 + (c->ce - e->told.ce) >= fresh && c->ect0 <= e->marked &&
           c->ce <= e->marked - c->ect0;
}

enum ecn_verdict ecn_acked(struct ecn *e, uint64_t largest, const struct ecn_counts *counts,
                           uint64_t fresh, uint64_t *ce) {
    static const struct ecn_counts none;
    *ce = 0;
    if (e->has_told && largest <= e->told_largest)
        return ECN_AS_BEFORE; /* it may have been overtaken by a newer one */
    e->has_told = true;
    e->told_largest = largest;
    if (e->state == ECN_UNKNOWN && e->test_sent == 0)
        e->state = ECN_TESTING; /* it answers again */
    if (!counts && fresh == 0)
        return ECN_AS_BEFORE; /* about packets without a mark */
    if (!counts)
        counts = &none;
    const bool right = counts_are_right(e, counts, fresh);
    const uint64_t more = right ? counts->ce - e->told.ce : 0;
    if (ecn_has_counts(counts))
        e->told = *counts;
    if (e->state == ECN_FAILED)
        return ECN_AS_BEFORE;
    if (!right) {
        e->state = ECN_FAILED;
        return ECN_REFUTED;
    }
    *ce = more;
    if (e->state == ECN_CAPABLE || fresh == 0)
        return ECN_AS_BEFORE;
    e->state = ECN_CAPABLE;
    return ECN_VALIDATED;
}
