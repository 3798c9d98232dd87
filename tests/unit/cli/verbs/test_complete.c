/* What the word under the cursor may be follows from the words before it and the tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/verbs/complete.h"

static const struct verb verbs[] = {
    {"id", "", "", 0, 0, NULL, "", ""},
    {"wait", "--for ready|peer=NAME|contact=NAME [--timeout DURATION]", "for timeout", 0, 0, NULL,
     "", ""},
    {"contact add", "NAME TICKET|-|--file PATH", "file", 1, 2, NULL, "", ""},
    {"contact rename", "OLD NEW", "", 2, 2, NULL, "", ""},
    {"send", "NAME PATH...|- [--as NAME] [--timeout DURATION]", "as timeout", 2, 1 << 30, NULL, "",
     ""},
    {"contact path", "NAME auto|relay_only", "", 2, 2, NULL, "", ""},
    {"transfers ls", "", "", 0, 0, NULL, "", ""},
    {"transfers", "", "", 0, 0, NULL, NULL, ""},
    {"accept", "N [--out DIR]", "out", 1, 1, NULL, "", ""},
    {"cancel", "N", "", 1, 1, NULL, "", ""},
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static void the_kind_of_the_last_word(void **state) {
    (void)state;
    static const struct {
        const char *words[8]; /* NULL ends them */
        enum complete_kind kind;
        const char *verb, *group;
    } cases[] = {
        {{""}, COMPLETE_COMMAND, NULL, ""},
        {{"con"}, COMPLETE_COMMAND, NULL, ""},
        {{"contact", ""}, COMPLETE_COMMAND, NULL, "contact"},
        {{"transfers", ""}, COMPLETE_COMMAND, "transfers", "transfers"},
        {{"contact", "rename", ""}, COMPLETE_CONTACT, "contact rename", ""},
        {{"contact", "rename", "a", ""}, COMPLETE_NOTHING, "contact rename", ""},
        {{"contact", "path", ""}, COMPLETE_CONTACT, "contact path", ""},
        {{"contact", "path", "a", "re"}, COMPLETE_WORD, "contact path", ""},
        {{"contact", "path", "a", "b", ""}, COMPLETE_NOTHING, "contact path", ""},
        {{"contact", "add", "a", "--file", ""}, COMPLETE_FILE, "contact add", ""},
        {{"contact", "add", "a", "-f", ""}, COMPLETE_FILE, "contact add", ""},
        {{"contact", "add", "a", "-f/x", ""}, COMPLETE_NOTHING, "contact add", ""},
        {{"send", ""}, COMPLETE_CONTACT, "send", ""},
        {{"send", "a", ""}, COMPLETE_FILE, "send", ""},
        {{"send", "a", "x", "y", ""}, COMPLETE_FILE, "send", ""},
        {{"send", "--timeout", "5", ""}, COMPLETE_CONTACT, "send", ""},
        {{"send", "--timeout=5", ""}, COMPLETE_CONTACT, "send", ""},
        {{"send", "--timeout", ""}, COMPLETE_NOTHING, "send", ""},
        {{"send", "-"}, COMPLETE_OPTION, "send", ""},
        {{"send", "--", "-"}, COMPLETE_CONTACT, "send", ""},
        {{"--json", "send", ""}, COMPLETE_CONTACT, "send", ""},
        {{"--state", ""}, COMPLETE_DIR, NULL, ""},
        {{"--socket", "x", ""}, COMPLETE_COMMAND, NULL, ""},
        {{"--s"}, COMPLETE_OPTION, NULL, ""},
        {{"wait", "--for", ""}, COMPLETE_CONDITION, "wait", ""},
        {{"accept", ""}, COMPLETE_OFFERED, "accept", ""},
        {{"accept", "1", "--out", ""}, COMPLETE_DIR, "accept", ""},
        {{"cancel", ""}, COMPLETE_LIVE, "cancel", ""},
        {{"cancel", "1", ""}, COMPLETE_NOTHING, "cancel", ""},
        {{"nonsense", ""}, COMPLETE_COMMAND, NULL, "nonsense"},
        {{"nonsense", "x", ""}, COMPLETE_NOTHING, NULL, ""},
        {{"send", "--nonsense", ""}, COMPLETE_CONTACT, "send", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *words[8];
        int count = 0;
        for (; count < 8 && cases[i].words[count]; count++)
            words[count] = (char *)(uintptr_t)cases[i].words[count];
        struct complete c = complete_find(verbs, VERBS, words, count);
        if (c.kind != cases[i].kind)
            fail_msg("case %zu: kind %d, not %d", i, (int)c.kind, (int)cases[i].kind);
        assert_string_equal(c.group, cases[i].group);
        assert_string_equal(c.prefix, words[count - 1]);
        if (cases[i].verb)
            assert_string_equal(c.verb->name, cases[i].verb);
        else
            assert_null(c.verb);
    }
    assert_int_equal(complete_find(verbs, VERBS, NULL, 0).kind, COMPLETE_COMMAND);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_kind_of_the_last_word)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
