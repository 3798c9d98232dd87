/* docs/PROTOCOL.md, section 6, has the numbers of errors and limits that the code has: none
 * missing, none other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/err.h"
#include "node/api/cause.h"

enum { NUMBERS = 64, DOCUMENT_BYTES = 1 << 20 };

static char document[DOCUMENT_BYTES];

/* The n-th block of section 6, as words. */
static char *block(unsigned n) {
    char path[512];
    const char *source = getenv("MESH_SOURCE");
    snprintf(path, sizeof path, "%s/docs/PROTOCOL.md", source ? source : ".");
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    document[fread(document, 1, sizeof document - 1, f)] = '\0';
    fclose(f);
    char *at = strstr(document, "\n## 6. ");
    for (unsigned i = 0; at && i <= 2 * n; i++)
        if ((at = strstr(at, "\n```\n")) != NULL)
            at += strlen("\n```\n");
    assert_non_null(at);
    char *end = strstr(at, "```");
    assert_non_null(end);
    *end = '\0';
    return at;
}

static bool is_error(int num) {
    return num == -ERR_FAILED || err_from_wire((unsigned)num) != ERR_FAILED;
}

static void errors_have_the_numbers_of_the_document(void **state) {
    (void)state;
    bool seen[NUMBERS] = {false};
    for (char *at = strtok(block(0), " \n"); at; at = strtok(NULL, " \n")) {
        const int num = atoi(at);
        const char *name = strtok(NULL, " \n");
        assert_true(num > 0 && num < NUMBERS && name);
        if (!is_error(num) || strcmp(err_name(-num), name) != 0)
            fail_msg("PROTOCOL.md has an error %d %s", num, name);
        seen[num] = true;
    }
    for (int num = 1; num < NUMBERS; num++)
        if (is_error(num) && !seen[num])
            fail_msg("the error %d %s is not in PROTOCOL.md, section 6", num, err_name(-num));
}

static void limits_have_the_numbers_of_the_document(void **state) {
    (void)state;
    bool seen[NUMBERS] = {false};
    for (char *at = strtok(block(1), " \n"); at; at = strtok(NULL, " \n")) {
        const int num = atoi(at);
        const char *name = strtok(NULL, " \n"), *err = strtok(NULL, " \n");
        assert_true(num > 0 && num < NUMBERS && name && err);
        if (num >= LIMITS || strcmp(limit_name((enum limit)num), name) != 0 ||
            limit_err((enum limit)num) != -atoi(err))
            fail_msg("PROTOCOL.md has a limit %d %s %s", num, name, err);
        seen[num] = true;
    }
    for (int num = 1; num < LIMITS; num++)
        if (!seen[num])
            fail_msg("the limit %d %s is not in PROTOCOL.md, section 6", num,
                     limit_name((enum limit)num));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_the_numbers_of_the_document),
        cmocka_unit_test(limits_have_the_numbers_of_the_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
