/* Byte pipes between hosts of a world: over its links, through its NATs and walls, with what goes
 * wrong there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/err.h"
#include "sim/world/sim_int.h"

enum { PORT = 443, A = 0, B = 1 };

static uint32_t site_of(struct sim *s, const char *name, const char *nat, uint32_t parent) {
    struct nat_config cfg;
    uint32_t site;
    assert_null(nat_config_read(&cfg, nat));
    const struct site_options o = {
        .name = name, .parent = parent, .region = SITE_NONE, .cfg = &cfg};
    assert_int_equal(sites_add(&s->sites, &o, &site), 0);
    return site;
}

static void host(struct sim *s, const char *name, uint32_t site) {
    uint32_t index;
    struct link_config link;
    const struct sim_host_options o = {
        .name = name, .cc = CC_CUBIC, .ipv4 = true, .site = site, .region = SITE_NONE};
    assert_int_equal(sim_host_add(s, &o, &index), 0);
    sim_link_get(s, index, SIM_UP, &link);
    link.delay_ns = 10 * SIM_MS;
    sim_link_set(s, index, SIM_UP, &link);
}

/* Host a in a site with this NAT (NULL: on the internet), host b the same; it is time 0. */
static struct sim *world(const char *nat_a, const char *nat_b) {
    struct sim *s = sim_new(&(struct sim_config){.seed = 1});
    host(s, "a", nat_a ? site_of(s, "home", nat_a, SITE_NONE) : SITE_NONE);
    host(s, "b", nat_b ? site_of(s, "office", nat_b, SITE_NONE) : SITE_NONE);
    sim_begin(s);
    return s;
}

static void run_for(struct sim *s, uint64_t ns) {
    sim_run_until(s, sim_now_ns(s) + ns);
    assert_null(sim_failure(s));
}

static struct pipe_info info(struct sim *s, uint32_t pipe) {
    struct pipe_info i;
    pipes_info(sim_pipes(s), pipe, &i);
    return i;
}

/* a connects to where b listens; *theirs is b's end. */
static uint32_t opened(struct sim *s, const struct addr *to, uint32_t *theirs) {
    uint32_t ours;
    assert_int_equal(pipes_connect(sim_pipes(s), A, to, &ours), 0);
    run_for(s, SIM_S);
    assert_int_equal(info(s, ours).state, PIPE_OPEN);
    assert_true(pipes_accept(sim_pipes(s), B, PORT, theirs));
    return ours;
}

static struct addr listening(struct sim *s) {
    assert_int_equal(pipes_listen(sim_pipes(s), B, PORT), 0);
    return pipes_address(sim_pipes(s), B, PORT);
}

/* Writes as much as goes in and reads all that comes, until `total` bytes have. */
static uint64_t carry(struct sim *s, uint32_t from, uint32_t to, uint64_t total, uint64_t most_ns) {
    struct pipes *ps = sim_pipes(s);
    static uint8_t out[65536], in[65536];
    uint64_t wrote = 0, got = 0;
    const uint64_t start_ns = sim_now_ns(s);
    while (got < total && sim_now_ns(s) < start_ns + most_ns) {
        for (size_t i = 0; i < sizeof out; i++)
            out[i] = (uint8_t)((wrote + i) % 251);
        const uint64_t left = total - wrote;
        wrote += pipes_write(ps, from, out, left < sizeof out ? (size_t)left : sizeof out);
        run_for(s, SIM_MS);
        const size_t n = pipes_read(ps, to, in, sizeof in);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(in[i], (got + i) % 251);
        got += n;
    }
    assert_int_equal(got, total);
    return sim_now_ns(s) - start_ns;
}

static void two_hosts_carry_bytes(void **state) {
    (void)state;
    struct sim *s = world(NULL, NULL);
    uint32_t theirs;
    const struct addr to = listening(s);
    assert_int_equal(pipes_listen(sim_pipes(s), B, PORT), ERR_EXISTS);
    const uint32_t ours = opened(s, &to, &theirs);
    assert_int_equal(info(s, ours).srtt_ns, 20 * SIM_MS);
    carry(s, ours, theirs, 1000000, 60 * SIM_S);
    carry(s, theirs, ours, 1000000, 60 * SIM_S);
    uint32_t none;
    assert_false(pipes_accept(sim_pipes(s), B, PORT, &none));
    pipes_shut(sim_pipes(s), ours);
    pipes_shut(sim_pipes(s), theirs);
    run_for(s, SIM_S);
    assert_true(info(s, ours).state == PIPE_CLOSED && info(s, ours).err == 0);
    assert_true(info(s, theirs).state == PIPE_CLOSED && info(s, theirs).ended);
    sim_free(s);
}

static void nobody_listens_nobody_is_there(void **state) {
    (void)state;
    struct sim *s = world(NULL, NULL);
    struct addr to = pipes_address(sim_pipes(s), B, PORT), six = to;
    uint32_t refused, lost, none;
    assert_int_equal(pipes_connect(sim_pipes(s), A, &to, &refused), 0);
    to.ip[3] ^= 0x80;
    assert_int_equal(pipes_connect(sim_pipes(s), A, &to, &lost), 0);
    six.kind = ADDR_IPV6;
    assert_int_equal(pipes_connect(sim_pipes(s), A, &six, &none), ERR_UNSUPPORTED);
    run_for(s, SIM_S);
    assert_int_equal(info(s, refused).err, ERR_REFUSED);
    assert_int_equal(info(s, lost).state, PIPE_CONNECTING);
    run_for(s, 130 * SIM_S);
    assert_int_equal(info(s, lost).err, ERR_TIMEOUT);
    sim_free(s);
}

static void nats_let_out_and_not_in(void **state) {
    (void)state;
    static const char *const nats[] = {"portrestricted", "symmetric", "linux",
                                       "fullcone",       "cgn",       "firewall"};
    for (unsigned i = 0; i < sizeof nats / sizeof *nats; i++) {
        struct sim *s = world(nats[i], NULL);
        uint32_t theirs, back;
        const struct addr to = listening(s);
        const uint32_t ours = opened(s, &to, &theirs);
        carry(s, theirs, ours, 100000, 60 * SIM_S);
        /* From outside there is no way in: not to its own address, nor to what was seen of it. */
        struct addr seen = sim_pipes(s)->ends[theirs].remote;
        assert_int_equal(pipes_listen(sim_pipes(s), A, PORT), 0);
        seen.port = PORT;
        assert_int_equal(pipes_connect(sim_pipes(s), B, &seen, &back), 0);
        run_for(s, 10 * SIM_S);
        assert_int_equal(info(s, back).state, PIPE_CONNECTING);
        sim_free(s);
    }
}

static void a_forwarded_port_is_reached(void **state) {
    (void)state;
    static const char *const nats[] = {"portrestricted", "linux"};
    for (unsigned i = 0; i < sizeof nats / sizeof *nats; i++) {
        struct sim *s = world("symmetric", nats[i]);
        uint32_t theirs;
        struct addr outside;
        (void)listening(s);
        assert_false(pipes_forward(sim_pipes(s), A, PORT, &outside) && outside.port == 0);
        assert_true(pipes_forward(sim_pipes(s), B, PORT, &outside));
        const uint32_t ours = opened(s, &outside, &theirs);
        carry(s, ours, theirs, 100000, 60 * SIM_S);
        sim_free(s);
    }
}

/* An idle connection lives as long as the router remembers it: hours, where UDP's are minutes. */
static void routers_remember_connections_for_hours(void **state) {
    (void)state;
    struct sim *s = world("portrestricted", NULL);
    uint32_t theirs;
    const struct addr to = listening(s);
    const uint32_t ours = opened(s, &to, &theirs);
    run_for(s, 7000 * SIM_S);
    carry(s, theirs, ours, 100, 10 * SIM_S);
    run_for(s, 7500 * SIM_S);
    assert_int_equal(pipes_write(sim_pipes(s), theirs, "x", 1), 1);
    run_for(s, 10 * SIM_S);
    assert_int_equal(info(s, ours).unread, 0);
    sim_free(s);
}

static void a_rebooted_router_has_forgotten_it(void **state) {
    (void)state;
    struct sim *s = world("linux", NULL);
    uint32_t theirs;
    const struct addr to = listening(s);
    const uint32_t ours = opened(s, &to, &theirs);
    sim_site_reboot(s, sim_host_site(s, A), true);
    assert_int_equal(pipes_write(sim_pipes(s), ours, "x", 1), 1);
    run_for(s, 10 * SIM_S);
    /* b has never heard of who speaks now: it refuses. */
    assert_int_equal(info(s, ours).err, ERR_RESET);
    sim_free(s);
}

static void a_rate_and_a_loss_cost_time(void **state) {
    (void)state;
    uint64_t took_ns[3];
    for (unsigned i = 0; i < 3; i++) {
        struct sim *s = world(NULL, NULL);
        struct link_config link;
        uint32_t theirs;
        sim_link_get(s, A, SIM_UP, &link);
        link.rate_bps = i == 0 ? 0 : 8000000;
        link.loss_ppb = i == 2 ? 20000000 : 0;
        link.delay_ns = 10 * SIM_MS;
        sim_link_set(s, A, SIM_UP, &link);
        const struct addr to = listening(s);
        const uint32_t ours = opened(s, &to, &theirs);
        took_ns[i] = carry(s, ours, theirs, 2000000, 600 * SIM_S);
        sim_free(s);
    }
    assert_true(took_ns[1] > 2 * SIM_S && took_ns[1] < 5 * SIM_S); /* 16 Mbit over 8 Mbit/s */
    assert_true(took_ns[0] < SIM_S && took_ns[2] > 2 * SIM_S);
}

static void networks_have_rules_of_their_own(void **state) {
    (void)state;
    static const struct {
        struct tcp_rule rule;
        uint16_t port;
        bool open;
    } cases[] = {{{.only_port = 443}, 443, true},
                 {{.only_port = 443}, 22, false},
                 {{.blocked = true}, 443, false},
                 {{0}, 22, true}};
    for (unsigned side = A; side <= B; side++)
        for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct sim *s = world("portrestricted", NULL);
            struct addr to = pipes_address(sim_pipes(s), B, cases[i].port);
            uint32_t pipe;
            sim_tcp_rule(s, side, &cases[i].rule);
            assert_int_equal(pipes_listen(sim_pipes(s), B, cases[i].port), 0);
            assert_int_equal(pipes_connect(sim_pipes(s), A, &to, &pipe), 0);
            run_for(s, SIM_S);
            /* b's network lets b out to others' 443 only: nobody from elsewhere reaches b. */
            const bool open =
                side == A ? cases[i].open : !cases[i].rule.blocked && !cases[i].rule.only_port;
            assert_int_equal(info(s, pipe).state == PIPE_OPEN, open);
            sim_free(s);
        }
}

static void a_cut_stops_it_and_a_reset_crosses(void **state) {
    (void)state;
    struct sim *s = world("linux", NULL);
    const uint32_t a = A, b = B;
    uint32_t theirs;
    const struct addr to = listening(s);
    const uint32_t ours = opened(s, &to, &theirs);
    const struct sim_between cut = {
        .from = &a, .to = &b, .from_count = 1, .to_count = 1, .for_ns = 20 * SIM_S};
    sim_cut(s, &cut);
    assert_int_equal(pipes_write(sim_pipes(s), ours, "late", 4), 4);
    run_for(s, 10 * SIM_S);
    assert_int_equal(info(s, theirs).unread, 0);
    run_for(s, 60 * SIM_S);
    assert_int_equal(info(s, theirs).unread, 4);
    pipes_reset(sim_pipes(s), theirs);
    run_for(s, SIM_S);
    assert_int_equal(info(s, ours).err, ERR_RESET);
    sim_free(s);
}

static void who_sleeps_hears_it_later(void **state) {
    (void)state;
    struct sim *s = world(NULL, NULL);
    uint32_t theirs;
    const struct addr to = listening(s);
    const uint32_t ours = opened(s, &to, &theirs);
    sim_suspend(s, B, 60 * SIM_S);
    assert_int_equal(pipes_write(sim_pipes(s), ours, "wake up", 7), 7);
    run_for(s, 50 * SIM_S);
    assert_int_equal(info(s, theirs).unread, 0);
    run_for(s, 200 * SIM_S);
    assert_int_equal(info(s, theirs).unread, 7);
    sim_free(s);
}

/* A world in which nothing but pipes differs: what nodes do is the same, and so are two runs. */
static void runs_are_equal(void **state) {
    (void)state;
    uint8_t hash[2][TRACE_BYTES];
    for (unsigned i = 0; i < 2; i++) {
        struct sim *s = world("symmetric", NULL);
        struct link_config link;
        uint32_t theirs;
        sim_link_get(s, A, SIM_UP, &link);
        link.loss_ppb = 50000000;
        sim_link_set(s, A, SIM_UP, &link);
        const struct addr to = listening(s);
        const uint32_t ours = opened(s, &to, &theirs);
        carry(s, ours, theirs, 300000, 600 * SIM_S);
        trace_hash(sim_trace(s), hash[i]);
        assert_int_equal(s->world.stats.sent, 0); /* no datagram of a node */
        sim_free(s);
    }
    assert_memory_equal(hash[0], hash[1], TRACE_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hosts_carry_bytes),
        cmocka_unit_test(nobody_listens_nobody_is_there),
        cmocka_unit_test(nats_let_out_and_not_in),
        cmocka_unit_test(a_forwarded_port_is_reached),
        cmocka_unit_test(routers_remember_connections_for_hours),
        cmocka_unit_test(a_rebooted_router_has_forgotten_it),
        cmocka_unit_test(a_rate_and_a_loss_cost_time),
        cmocka_unit_test(networks_have_rules_of_their_own),
        cmocka_unit_test(a_cut_stops_it_and_a_reset_crosses),
        cmocka_unit_test(who_sleeps_hears_it_later),
        cmocka_unit_test(runs_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
