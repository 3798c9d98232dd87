/* A line of a scenario that says nothing is none: each rule of lint.c and each row of absent.c
 * refuses one, for its own reason, and takes the line next to it that says something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/run/run.h"
#include "support_scenario.h"

#define TWO "for 60s\nnode a b c\ncontacts a b\n"
#define SENT TWO "at 1s message a b 5x\n"

/* Reading it succeeds; checking it gives a problem. False: it is taken. */
static bool has_problem(const char *text, struct problem *p) {
    struct scenario sc;
    *p = (struct problem){.text = ""};
    if (!scenario_parse(&sc, text, NULL, 0, p))
        fail_msg("%u: %s\n%s", p->at.line, p->text, text);
    const bool taken = run_check(&sc, p);
    scenario_clear(&sc);
    return !taken;
}

static void says_nothing_at(const char *text, unsigned line, unsigned column) {
    struct problem p;
    if (!has_problem(text, &p))
        fail_msg("this is taken:\n%s", text);
    if (p.at.line != line || p.at.column != column)
        fail_msg("%u:%u instead of %u:%u: %s\n%s", p.at.line, p.at.column, line, column, p.text,
                 text);
}

static void is_refused(const char *before, const char *line, const char *why) {
    char text[512];
    struct problem p;
    (void)snprintf(text, sizeof text, "%s%s", before, line);
    if (!has_problem(text, &p))
        fail_msg("this is taken:\n%s", text);
    if (!strstr(p.text, why))
        fail_msg("'%s' instead of '%s'\n%s", p.text, why, text);
}

static void is_taken(const char *before, const char *line) {
    char text[512];
    struct problem p;
    (void)snprintf(text, sizeof text, "%s%s", before, line);
    if (has_problem(text, &p))
        fail_msg("%u:%u: %s\n%s", p.at.line, p.at.column, p.text, text);
}

/* ---- values ---- */

static void what_cannot_fail_is_refused(void **state) {
    (void)state;
    static const char *const lines[] = {
        "expect message.lost >= 0",     "expect message.lost >= 0%",
        "expect message.p99 >= 0",      "eventually message.lost >= 0 within 5s",
        "sometimes datagram.sent >= 0", "expect message.lost != 1.5",
        "expect message.count != 1.5",
    };
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
        is_refused(SENT, lines[i], "this cannot fail");
    is_taken(SENT, "expect message.lost >= 1");
    is_taken(SENT, "expect message.lost > 0");
    is_taken(SENT, "expect message.lost <= 0");
    is_taken(SENT, "expect message.lost != 1");
    is_taken(SENT, "expect message.p99 != 1.5"); /* no count */
    is_taken(SENT, "expect sim.seconds != 1.5");
}

static void what_cannot_hold_is_refused(void **state) {
    (void)state;
    static const char *const lines[] = {"expect message.lost < 0", "expect message.lost == 0.5",
                                        "expect message.count == 0.5",
                                        "eventually message.received < 0 within 5s"};
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
        is_refused(SENT, lines[i], "this cannot hold");
    is_taken(SENT, "expect message.lost < 1");
    is_taken(SENT, "expect message.lost == 0");
    is_taken(SENT, "expect message.p99 == 0.5");
    is_taken(SENT, "expect sim.seconds == 0.5");
}

static void the_place_of_a_line_among_others_is_told(void **state) {
    (void)state;
    says_nothing_at(TWO "at 1s message a b\nexpect endpoint.ptos == 0; expect message.lost >= 0", 5,
                    35);
}

/* ---- what does not happen ---- */

/* {a line about it, why it is none, what makes it one} */
struct row {
    const char *line, *why, *with;
};

static void check_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "%s%s\n", TWO, rows[i].with);
        is_refused(TWO, rows[i].line, rows[i].why);
        is_taken(text, rows[i].line);
    }
}

static void what_a_metric_is_counted_against_has_to_happen(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"expect transfer.done == 1", "nothing is transferred", "at 1s transfer a b 1KiB"},
        {"expect transfer.done == 1", "nothing is transferred", "load transfer 1/m a to b"},
        {"expect disk.wrong_bytes == 0", "nothing is transferred", "at 1s transfer a b 1KiB"},
        {"expect message.lost == 0", "no message is sent", "at 1s message a b"},
        {"expect message.doubled == 0", "no message is sent", "load message 1/m a to b"},
        {"expect ping.failed == 0", "nobody pings", "at 1s ping a b"},
        {"expect flow.received > 10", "there is no flow", "load flow 1/s a to b"},
        {"expect healed.failed == 0", "nothing is healed, or nothing transferred",
         "at 1s heal\nat 2s transfer a b 1KiB"},
        {"expect load.refused == 0", "there is no load", "load ping 1/m a to b"},
        {"expect work.failed == 0", "nobody is asked for anything", "at 1s connect a b"},
        {"expect work.failed == 0", "nobody is asked for anything", "at 1s pair a c"},
    };
    check_rows(rows, sizeof rows / sizeof *rows);
    is_refused(TWO "at 1s heal\n", "expect healed.failed == 0", "nothing is healed, or nothing");
    is_refused(TWO "at 1s transfer a b 1KiB\n", "expect healed.failed == 0",
               "nothing is healed, or nothing");
}

static void what_is_counted_has_to_be_possible(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"expect drop.nat_full == 0", "nobody is behind a NAT", "node d nat=symmetric"},
        {"expect nat.mappings == 0", "nobody is behind a NAT", "site home nat=linux"},
        {"expect drop.blocked == 0", "nobody's UDP is blocked", "node d udp=no"},
        {"expect drop.blocked == 0", "nobody's UDP is blocked", "node d udp=50%"},
        {"expect drop.cut == 0", "nothing is cut", "at 1s cut a b"},
        {"expect drop.unplugged == 0", "no interface goes down", "at 1s down a"},
        {"expect drop.nat_full == 0", "nobody is behind a NAT", "nic x a nat=cgn"},
        {"expect drop.loss == 0", "no link has a loss", "nic x a loss=1%"},
        {"expect drop.suspended == 0", "nobody is suspended", "at 1s suspend a"},
        {"expect drop.buffer == 0", "nobody is stalled", "at 1s stall a"},
        {"expect drop.hostile == 0", "nobody is hostile", "hostile a forge"},
        {"expect drop.listed == 0", "no packet is said to be lost", "lose a up 1"},
        {"expect drop.loss == 0", "no link has a loss", "link a loss=1%"},
        {"expect drop.loss == 0", "no link has a loss", "site home nat=linux loss=1%"},
        {"expect drop.burst == 0", "no link has bursts of loss", "link a burst=1%/10%"},
        {"expect drop.queue == 0", "no link has a rate", "link a up=1M"},
        {"expect drop.queue == 0", "no link has a rate", "at 1s clog a b for=1s"},
        {"expect drop.codel == 0", "no link has CoDel", "link a up=1M queue=codel"},
        {"expect drop.ecn == 0", "no link has ecn=blackhole", "link a ecn=blackhole"},
        {"expect ecn.marked == 0", "no link has ecn=mark", "link a ecn=mark"},
        {"expect fault.duplicated == 0", "no link has dup", "link a dup=1%"},
        {"expect fault.reordered == 0", "no link has reorder", "link a reorder=1%/1ms"},
        {"expect fault.corrupted == 0", "no link has corrupt", "link a corrupt=1%"},
        {"expect icmp.too_big == 0", "no link has icmp=on", "link a icmp=on"},
        {"expect endpoint.icmp_believed == 0", "no link has icmp=on", "link a icmp=on"},
        {"expect judged.leak == 0", "there is no never", "never all"},
        {"expect event.transfer.failed == 0", "nothing is transferred", "at 1s transfer a b 1KiB"},
        {"expect asked.transfer == 0", "nothing is transferred", "at 1s transfer a b 1KiB"},
        {"expect disk.read_bytes == 0", "nothing is transferred", "at 1s transfer a b 1KiB"},
        {"expect disk.written_bytes == 0", "nothing is transferred", "at 1s transfer a b 1KiB"},
        {"expect event.message == 0", "no message is sent", "at 1s message a b"},
        {"expect asked.message == 0", "no message is sent", "at 1s message a b"},
        {"expect event.ping.failed == 0", "nobody pings", "at 1s ping a b"},
        {"expect event.pong == 0", "nobody pings", "at 1s ping a b"},
        {"expect asked.ping == 0", "nobody pings", "at 1s ping a b"},
        {"expect asked.connect == 0", "nobody connects", "at 1s connect a b"},
        {"expect asked.pair == 0", "nobody uses a ticket", "at 1s pair a c"},
        {"expect event.ticket.stored == 0", "nobody uses a ticket", "at 1s pair a c"},
        {"expect event.pairing.failed == 0", "nobody uses a ticket", "at 1s steal a b c"},
    };
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void nobody_is_connected_where_nobody_dials_or_is_asked(void **state) {
    (void)state;
#define LAZY "for 60s\nnode a b dials=no\ncontacts a b\n"
    says_nothing_at(LAZY "eventually connected within 10s", 4, 12);
    says_nothing_at("for 60s\nnode a b\neventually connected within 10s", 3, 12);
    is_refused(LAZY, "expect handshake.failed == 0", "nobody is asked for anything");
    is_taken(LAZY "at 1s ping a b\n", "eventually connected within 10s");
    is_taken("for 60s\nnode a\nnode b dials=no\ncontacts b with a\n", "expect peers.wanted == 1");
}

/* ---- two lines about one thing ---- */

static void what_a_stricter_line_says_already_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *strict, *loose;
    } pairs[] = {
        {"message < 4", "message < 5"},   {"message <= 4", "message < 5"},
        {"message == 4", "message < 5"},  {"message < 5", "message <= 5"},
        {"message <= 4", "message <= 5"}, {"message == 5", "message <= 5"},
        {"message > 5", "message > 4"},   {"message >= 5", "message > 4"},
        {"message == 5", "message > 4"},  {"message > 5", "message >= 5"},
        {"message >= 5", "message >= 4"}, {"message == 5", "message >= 5"},
    };
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, SENT "expect %s\nexpect %s", pairs[i].strict,
                       pairs[i].loose);
        says_nothing_at(text, 6, 8);
        (void)snprintf(text, sizeof text, SENT "expect %s\nexpect %s", pairs[i].loose,
                       pairs[i].strict);
        says_nothing_at(text, 5, 8);
    }
    is_refused(SENT, "expect message > 4\nexpect message > 4", "line 5 says this already");
    is_refused(SENT, "expect message != 4\nexpect message != 4", "line 5 says this already");
    is_refused(SENT, "expect message == 4\nexpect message == 4", "line 5 says this already");
    is_refused(SENT, "expect message > 4\nexpect message >= 5\nexpect message > 5", "strictly");
    says_nothing_at(SENT "eventually connected within 9s\neventually connected within 3s", 5, 12);
}

static void lines_about_other_things_are_taken(void **state) {
    (void)state;
    is_taken(SENT, "expect message.received >= 3\nexpect message.received <= 5\n"
                   "expect message.max < 5\nexpect message.p50 < 5\n"
                   "eventually message.received >= 3 within 5s\nsometimes message.received >= 3");
    is_taken(SENT, "expect message < 5\nexpect message > 4\nexpect message != 4.5");
}

/* ---- never ---- */

static void an_invariant_about_nothing_is_refused(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"never wrong_bytes", "nothing is transferred", "at 1s transfer a b 1KiB"},
        {"never partial_file", "nothing is transferred", "at 1s transfer a b 1KiB"},
        {"never used_ticket", "nobody steals a ticket", "at 1s pair a c\nat 9s steal b a c"},
        {"never misdelivered", "no message is sent", "at 1s message a b"},
    };
    check_rows(rows, sizeof rows / sizeof *rows);
    is_refused(TWO "crypto stub\n", "never unsigned_accept", "crypto stub has no signatures");
    is_taken(TWO, "never unsigned_accept");
    is_taken(TWO, "never all leak livelock memory table_caps");
    is_refused(TWO, "never leak\nnever leak", "line 4 says this already");
}

/* ---- who asks nobody ---- */

static void who_has_no_contact_asks_nobody(void **state) {
    (void)state;
    says_nothing_at(TWO "at 1s ping c contacts", 4, 7);
    says_nothing_at(TWO "load ping 1/s c", 4, 6);
    is_taken(TWO, "at 1s ping a contacts\nload ping 1/s b");
    is_taken("for 60s\nnode a b c\ncontacts a with b\n", "at 1s ping b contacts");
    is_taken(TWO, "at 1s pair c a\nload ping 1/s all from=9s");
    is_taken(TWO, "at 1s steal c a b\nload ping 1/s c from=9s");
}

static void what_was_not_down_does_not_go_up(void **state) {
    (void)state;
    static const char why[] = "the interface has not gone down";
    is_refused(TWO, "at 9s up a", why);
    is_refused(TWO "at 9s down a\n", "at 9s up a", why);
    is_refused(TWO "at 8s down b\n", "at 9s up a", why);
    is_refused(TWO "nic x a\nat 8s down a\n", "at 9s up a nic=x", why);
    is_taken(TWO "at 8s down a\n", "at 9s up a");
    is_taken(TWO "at 8s down a\n", "at 9s up a b");
    is_taken(TWO "at 8s down a\n", "at 2s every 5s up a");
    is_taken(TWO "nic x a\nat 8s down a nic=x\n", "at 9s up a nic=x");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_fail_is_refused),
        cmocka_unit_test(what_cannot_hold_is_refused),
        cmocka_unit_test(the_place_of_a_line_among_others_is_told),
        cmocka_unit_test(what_a_metric_is_counted_against_has_to_happen),
        cmocka_unit_test(what_is_counted_has_to_be_possible),
        cmocka_unit_test(nobody_is_connected_where_nobody_dials_or_is_asked),
        cmocka_unit_test(what_a_stricter_line_says_already_is_refused),
        cmocka_unit_test(lines_about_other_things_are_taken),
        cmocka_unit_test(an_invariant_about_nothing_is_refused),
        cmocka_unit_test(who_has_no_contact_asks_nobody),
        cmocka_unit_test(what_was_not_down_does_not_go_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
