/* Who is meant by a share, and which way datagrams go: lines in series, walls, homes without UDP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/world/plug.h"
#include "sim/world/sim_int.h"
#include "support_scenario.h"

static void a_share_of_nothing_is_nobody(void **state) {
    (void)state;
    static const char killed[] =
        "for 5s\nnode a b\ncontacts a b\nat 1s kill a:0%\nat 2s connect b a";
    static const char cut[] = "for 5s\nnode a b\ncontacts a b\nat 1s cut a:0% b\nat 2s connect b a";
    static const char clog[] =
        "for 5s\nnode a b\ncontacts a b\nat 1s clog a b:0% for=4s\nat 2s connect b a";
    static const char load[] = "for 5s\nnode a b\ncontacts a b\nload ping 9/s a:0%";
    assert_true(metric_of(killed, "session.online") == 2);
    assert_true(metric_of(cut, "session.online") == 2);
    assert_true(metric_of(clog, "handshake") < 1);
    assert_true(metric_of(load, "load.done") == 0);
    refused_at("for 5s\nnode a b\ncontacts a:50% b", 3, 10);
}

static void a_share_is_about_that_many(void **state) {
    (void)state;
    struct run r;
    run_text("for 5s\nnode n[1..200] dials=no\nnode b dials=no\ncontacts n[1..200] with b\nat 1s "
             "cut n[1..200]:25% b\n"
             "at 2s connect n[1..200] b\nload connect 1/s n[1..200]:50% from=3s",
             &r);
    assert_in_range((int)metric_in(&r, "session.online"), 260, 340);
    run_clear(&r);
}

/* Taking another action away changes nothing; both sides of a pair have draws of their own. */
static void shares_and_loads_do_not_depend_on_other_lines(void **state) {
    (void)state;
    static const char with[] = "for 6s\nnode n[1..40]\ncontacts all degree=4\nat 1s roam all:0%\n"
                               "contacts all degree=4\nload ping 1/h all\nload ping 2/s all\n"
                               "at 2s kill all:50%",
                      without[] = "for 6s\nnode n[1..40]\ncontacts all degree=4\n"
                                  "load ping 2/s all\nat 2s kill all:50%",
                      both[] = "for 3s\nnode n[1..40]\ncontacts all\nat 1s ping all:50% all:50%";
    struct run a, b;
    run_text(with, &a);
    run_text(without, &b);
    assert_true(metric_in(&a, "node.bytes.count") == metric_in(&b, "node.bytes.count"));
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(a.sim->world.hosts[i]->sent, b.sim->world.hosts[i]->sent);
    run_clear(&a);
    run_clear(&b);
    /* One draw for both sides would make n (n - 1) pings of it. */
    const double pings = metric_of(both, "ping.count");
    bool square = false;
    for (int n = 0; n < 41; n++)
        square = square || pings == n * (n - 1);
    assert_false(square);
}

/* ---- lines ---- */

static void lines_of_all_sites_around_count(void **state) {
    (void)state;
    static const char up[] = "for 60s\nsite cgn nat=cgn up=1M down=1M queue=100ms\n"
                             "node a nat=fullcone behind=cgn\nnode b\ncontacts a b\n"
                             "at 1s transfer a b 2MiB",
                      down[] = "for 60s\nsite cgn nat=cgn up=1M down=1M queue=100ms\n"
                               "node a nat=fullcone behind=cgn\nnode b\ncontacts a b\n"
                               "at 1s connect a b\nat 2s transfer b a 2MiB",
                      within[] = "for 60s\nsite cgn nat=cgn up=1M down=1M queue=100ms\n"
                                 "site h nat=fullcone behind=cgn\nnode a b site=h\n"
                                 "at 0s pair a b\nat 1s transfer a b 2MiB";
    assert_in_range((int)metric_of(up, "transfer.goodput_bps"), 500000, 1000000);
    assert_in_range((int)metric_of(down, "transfer.goodput_bps"), 500000, 1000000);
    assert_true(metric_of(within, "transfer.goodput_bps") > 10e6);
}

/* The narrow link comes first, so the short queue behind it never fills. */
static void links_come_one_after_the_other(void **state) {
    (void)state;
    static const char text[] = "for 20s\nsite h nat=fullcone up=2M queue=2KiB\nnode a site=h\n"
                               "node b\nlink a up=1M queue=10s\ncontacts a b\n"
                               "at 1s message a b 5x 20000";
    struct run r;
    run_text(text, &r);
    assert_true(metric_in(&r, "drop.queue") == 0 && metric_in(&r, "message.received") == 5);
    run_clear(&r);
}

/* What is far away sends first, what is near by sends a moment later and comes first. */
static void a_shared_line_serves_in_order_of_arrival(void **state) {
    (void)state;
    static const char text[] = "for 5s\nsite h nat=fullcone up=10M down=10M\nnode far near site=h\n"
                               "node b\nlink far delay=400ms\ncontacts far near with b\n"
                               "at 1s connect near b\nat 2s ping far b\nat 2.01s ping near b";
    assert_true(metric_of(text, "ping.min") < 0.1);
}

/* ---- walls ---- */

static void a_firewall_lets_out_and_answers_in(void **state) {
    (void)state;
    static const char out[] = "for 5s\nnode a nat=firewall\nnode b\ncontacts a b\nat 1s ping a b",
                      in[] = "for 5s\nnode a nat=firewall\nnode b\nat 1s pair b a",
                      within[] = "for 5s\nsite f nat=firewall\nnode a b site=f\nat 0s pair b a\n"
                                 "at 1s ping a b",
                      nested[] = "for 5s\nsite c nat=cgn\nsite f nat=firewall behind=c\n"
                                 "site h nat=fullcone behind=f\nnode a site=f\nnode x site=h\n"
                                 "node b\ncontacts a x with b\nat 1s ping a b\nat 1s ping x b",
                      neighbours[] = "for 5s\nsite c nat=cgn\nsite f nat=firewall behind=c\n"
                                     "node a site=f\nnode b site=c\nat 0s pair a b\nat 1s ping a b";
    assert_true(metric_of(out, "ping.count") == 1);
    assert_true(metric_of(in, "session.online") == 0);
    assert_true(metric_of(in, "drop.nat_unmapped") > 0);
    assert_true(metric_of(within, "ping.count") == 1);
    assert_true(metric_of(nested, "ping.count") == 2);
    assert_true(metric_of(neighbours, "ping.count") == 1);
}

static void ipv6_neighbours_meet_only_the_walls_between_them(void **state) {
    (void)state;
    static const char text[] = "for 5s\nsite c nat=cgn\nsite h nat=fullcone behind=c\n"
                               "node a b ip=6 site=h\nnode x ip=6 site=c\n"
                               "at 0s pair a b\nat 0s pair a x\n"
                               "at 1s ping a b\nat 1s ping a x\nat 3s ping x a";
    assert_true(metric_of(text, "ping.count") == 3);
}

static void without_udp_nobody_outside_is_reached(void **state) {
    (void)state;
    static const char in[] = "for 5s\nnode a udp=no\nnode b\ncontacts a b\nat 1s ping b a",
                      home[] = "for 5s\nsite h nat=fullcone\nnode a b site=h ip=6 udp=no\n"
                               "at 0s pair b a\nat 1s ping b a";
    struct run r;
    run_text(in, &r);
    assert_true(metric_in(&r, "drop.blocked") > 0);
    assert_true(metric_in(&r, "datagram.delivered") == 0);
    run_clear(&r);
    assert_true(metric_of(home, "ping.count") == 1);
}

/* More moves than there are addresses, in and out of a home. */
static void addresses_are_used_again(void **state) {
    (void)state;
    struct sim *s = sim_new(&(struct sim_config){.seed = 1});
    struct nat_config c;
    uint32_t a, b, site;
    assert_null(nat_config_read(&c, "fullcone"));
    const struct site_options home = {"h", SITE_NONE, SITE_NONE, &c};
    assert_int_equal(sites_add(&s->sites, &home, &site), 0);
    const struct sim_host_options outside = {.name = "a", .site = SITE_NONE, .region = SITE_NONE},
                                  inside = {.name = "b", .site = site, .region = SITE_NONE};
    assert_int_equal(sim_host_add(s, &outside, &a), 0);
    assert_int_equal(sim_host_add(s, &inside, &b), 0);
    sim_begin(s);
    for (unsigned i = 0; i < 140000 && !sim_failure(s); i++) {
        sim_nic_roam(s, a, 0);
        sim_nic_roam(s, b, 0);
        sim_site_reboot(s, site, true);
    }
    assert_null(sim_failure(s));
    assert_true(s->world.hosts[a]->first.addrs[0].ip[0] == 198 &&
                s->world.hosts[b]->first.addrs[0].ip[0] == 10);
    sim_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_of_nothing_is_nobody),
        cmocka_unit_test(a_share_is_about_that_many),
        cmocka_unit_test(shares_and_loads_do_not_depend_on_other_lines),
        cmocka_unit_test(lines_of_all_sites_around_count),
        cmocka_unit_test(links_come_one_after_the_other),
        cmocka_unit_test(a_shared_line_serves_in_order_of_arrival),
        cmocka_unit_test(a_firewall_lets_out_and_answers_in),
        cmocka_unit_test(ipv6_neighbours_meet_only_the_walls_between_them),
        cmocka_unit_test(addresses_are_used_again),
        cmocka_unit_test(without_udp_nobody_outside_is_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
