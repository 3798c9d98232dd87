/* The table of parts: who hears of a new contact, and who of one that could not be taken in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/base/part.h"
#include "node/people/contact.h"

enum { PARTS = 4 };

static struct told {
    int err;
    unsigned news, gone;
    unsigned gone_as; /* the how manieth it was */
} told[PARTS];
static unsigned gone;

static int contact_new(void *self, struct contact *c) {
    struct told *t = self;
    (void)c;
    t->news++;
    return t->err;
}

static void contact_gone(void *self, struct contact *c) {
    struct told *t = self;
    (void)c;
    t->gone++;
    t->gone_as = ++gone;
}

static void one_that_cannot_takes_the_others_back(void **state) {
    (void)state;
    static const struct part_ops ops = {.contact_new = contact_new, .contact_gone = contact_gone};
    static const struct part_ops none = {.contact_gone = NULL};
    struct contact c = {.serial = 1};
    for (unsigned failing = 0; failing <= PARTS; failing++) {
        struct parts parts = {.count = 0};
        gone = 0;
        for (unsigned i = 0; i < PARTS; i++) {
            told[i] = (struct told){.err = i == failing ? ERR_NOMEM : 0};
            (void)parts_add(&parts, &ops, &told[i]);
            (void)parts_add(&parts, &none, NULL);
        }
        assert_int_equal(parts_contact_new(&parts, &c), failing < PARTS ? ERR_NOMEM : 0);
        for (unsigned i = 0; i < PARTS; i++) {
            assert_int_equal(told[i].news, i <= failing);
            assert_int_equal(told[i].gone, failing < PARTS && i < failing);
            if (told[i].gone) /* the last first */
                assert_int_equal(told[i].gone_as, failing - i);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_cannot_takes_the_others_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
