/* Contacts: which names they may have, what survives a restart and an update, and whose rules and
 * keys are whose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "node/people/contact_store.h"
#include "node/people/petname.h"
#include "node/people/ticket.h"
#include "support_relay_addr.h"
#include "support_world.h"

enum { S = 1000000 };

static void petnames_are_short_plain_and_never_options(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool ok;
    } cases[] = {
        {"anna", true},
        {"Gr\xc3\xbc\xc3\x9f"
         "e",
         true},
        {"my home pc", true},
        {"", false},
        {"a/b", false},
        {"-x", false},
        {" a", false},
        {"a ", false},
        {"a\nb", false},
        {"a\x1b", false},
        {"\xff", false},
        {"\xe2\x80\xae"
         "x",
         false},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(petname_ok(cases[i].name), cases[i].ok);
    char longest[PETNAME_MAX + 2];
    memset(longest, 'x', sizeof longest);
    longest[PETNAME_MAX + 1] = '\0';
    assert_false(petname_ok(longest));
    longest[PETNAME_MAX] = '\0';
    assert_true(petname_ok(longest));
}

static struct contact sample(unsigned n) {
    struct contact a = {.paired = n & 1, .pairing = n & 2, .addr_count = n, .cert_seq = 1u << n};
    snprintf(a.name, sizeof a.name, "anna %u", n);
    memset(a.id.bytes, 1, 32);
    memset(a.transport.bytes, 2, 32);
    memset(a.psk.bytes, 3, 32);
    memset(a.ticket.bytes, 4, 32);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(addr_parse(&a.addrs[i], i % 2 ? "[2001:db8::1]:1" : "192.0.2.1:2"), 0);
    return a;
}

static void a_contact_survives_its_stored_form(void **state) {
    (void)state;
    for (unsigned n = 0; n <= PEER_ADDRS_MAX; n++) {
        struct contact a = sample(n), b;
        struct relay_set relays;
        uint8_t value[CONTACT_VALUE_MAX + 1];
        size_t len = contact_encode(&a, value);
        assert_true(contact_decode(&b, &relays, a.id.bytes, 32, value, len));
        assert_memory_equal(&a, &b, sizeof a);
        for (size_t cut = 0; cut < len; cut++)
            assert_false(contact_decode(&b, &relays, a.id.bytes, 32, value, cut));
        assert_false(contact_decode(&b, &relays, a.id.bytes, 32, value, len + 1));
        assert_false(contact_decode(&b, &relays, a.id.bytes, 31, value, len));
        value[0] = 4;
        assert_false(contact_decode(&b, &relays, a.id.bytes, 32, value, len));
    }
}

static struct relay_set some_relays(unsigned n) {
    static const char *const places[RELAY_SET_MAX] = {"relay.example.org:7557", "192.0.2.7:443",
                                                      "[2001:db8::7]:7557", "r.example:1"};
    struct relay_set s = {.count = 0};
    for (unsigned i = 0; i < n; i++) {
        const struct relay_addr a = relay(places[i], (uint8_t)(10 + i));
        assert_true(relay_set_add(&s, &a));
    }
    return s;
}

static void relays_and_path_survive_the_stored_form(void **state) {
    (void)state;
    for (unsigned n = 0; n <= RELAY_SET_MAX; n++)
        for (unsigned path = CONTACT_PATH_NODE; path <= CONTACT_PATH_DIRECT_ONLY; path++) {
            struct relay_set set = some_relays(n), relays;
            struct contact a = sample(1), b;
            uint8_t value[CONTACT_VALUE_MAX + 1];
            a.path = (enum contact_path)path;
            a.relays = n > 0 ? &set : NULL;
            const size_t len = contact_encode(&a, value);
            /* An older meshd reads whoever has neither. */
            assert_int_equal(value[0], n > 0 || path != CONTACT_PATH_NODE ? 3 : 2);
            assert_true(contact_decode(&b, &relays, a.id.bytes, 32, value, len));
            assert_int_equal(b.path, path);
            assert_true(relay_set_equal(&set, &relays));
            assert_ptr_equal(b.relays, n > 0 ? &relays : NULL);
            for (size_t cut = 0; cut < len; cut++)
                assert_false(contact_decode(&b, &relays, a.id.bytes, 32, value, cut));
            assert_false(contact_decode(&b, &relays, a.id.bytes, 32, value, len + 1));
        }
}

static void broken_relays_in_the_store_are_not_read(void **state) {
    (void)state;
    struct relay_set set = some_relays(1), relays;
    struct contact a = sample(0), b;
    uint8_t value[CONTACT_VALUE_MAX + 64];
    a.relays = &set;
    const size_t len = contact_encode(&a, value), at = len - relay_addr_size(&set.list[0]) - 2;
    assert_true(contact_decode(&b, &relays, a.id.bytes, 32, value, len));
    value[at] = CONTACT_PATH_DIRECT_ONLY + 1;
    assert_false(contact_decode(&b, &relays, a.id.bytes, 32, value, len));
    value[at] = 0;
    value[at + 1] = 2; /* the same one twice */
    const size_t more = relay_addr_write(&set.list[0], value + len);
    assert_false(contact_decode(&b, &relays, a.id.bytes, 32, value, len + more));
    value[at + 1] = 1;
    value[at + 4] = '/';
    assert_false(contact_decode(&b, &relays, a.id.bytes, 32, value, len));
}

/* As they were written before: under the petname, without a sequence. */
static void old_put(struct store *s, const char *name, const struct contact *c) {
    uint8_t value[CONTACT_VALUE_MAX];
    struct wr w = wr_init(value, sizeof value);
    wr_u8(&w, 1);
    wr_u8(&w, (uint8_t)((c->paired ? 1 : 0) | (c->pairing ? 2 : 0)));
    wr_bytes(&w, c->id.bytes, 32);
    wr_bytes(&w, c->transport.bytes, 32);
    wr_bytes(&w, c->psk.bytes, 32);
    wr_bytes(&w, c->ticket.bytes, 32);
    wr_u8(&w, (uint8_t)c->addr_count);
    for (unsigned i = 0; i < c->addr_count; i++) {
        uint8_t a[ADDR_WIRE_MAX];
        wr_bytes(&w, a, addr_write(&c->addrs[i], a));
    }
    assert_int_equal(s->put(s->ctx, "contacts", name, strlen(name), value, wr_len(&w)), 0);
}

static void contacts_stored_under_their_names_are_taken_over(void **state) {
    (void)state;
    struct world *w = world_new(1, 30);
    struct store *s = &w->nodes[0].env.store;
    /* A name as long as an id is not taken for one. */
    static const char *const names[] = {"anna", "bob", "a name of exactly thirty-two byte"};
    struct contact_info c;
    world_kill(w, 0);
    for (unsigned i = 0; i < 3; i++) {
        struct contact old = sample(i);
        old.cert_seq = 0;
        old.id.bytes[0] = (uint8_t)(10 + i);
        old_put(s, names[i], &old);
    }
    for (unsigned starts = 0; starts < 2; starts++) {
        world_start(w, 0);
        for (unsigned i = 0; i < 3; i++) {
            uint8_t value[CONTACT_VALUE_MAX];
            size_t len;
            assert_true(node_contact_get(w->nodes[0].node, w->now_us, names[i], &c));
            assert_int_equal(c.id.bytes[0], 10 + i);
            assert_int_equal(c.paired, i & 1);
            assert_int_equal(c.addr_count, i);
            assert_int_equal(s->get(s->ctx, "contacts", c.id.bytes, 32, value, sizeof value, &len),
                             0);
            assert_int_equal(value[0], 2);
        }
        assert_int_equal(store_count(w, 0, "contacts"), 3);
        world_kill(w, 0);
    }
    world_start(w, 0);
    world_free(w);
}

static void a_removed_contact_gets_no_session(void **state) {
    (void)state;
    struct world *w = world_new(2, 5);
    world_pair(w, 0, 1);
    world_run(w, S);
    uint64_t seq;
    struct node_status before, after;
    w->nodes[1].unplugged = true;
    assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "hi", 2, &seq), 0);
    world_run(w, S);
    const unsigned scrubs = w->nodes[0].scrubs;
    node_status(w->nodes[0].node, w->now_us, &before);
    assert_int_equal(node_contact_remove(w->nodes[0].node, w->now_us, "n1"), 0);
    node_status(w->nodes[0].node, w->now_us, &after);
    assert_int_equal(before.messages_queued, 1);
    assert_int_equal(after.messages_queued, 0);
    w->nodes[1].unplugged = false;
    world_run(w, S);
    assert_int_equal(w->nodes[0].scrubs, scrubs + 1); /* what was shared with it is in no file */
    assert_non_null(world_wait(w, 0, NODE_CONTACT_REMOVED, S));
    assert_non_null(world_wait(w, 1, NODE_PEER_DOWN, 10 * S));
    assert_int_equal(node_connect(w->nodes[1].node, w->now_us, "n0"), 0);
    assert_non_null(world_wait(w, 1, NODE_CONNECT_FAILED, 60 * S));
    world_kill(w, 0);
    world_start(w, 0);
    struct contact_info c;
    assert_false(node_contact_at(w->nodes[0].node, w->now_us, 0, &c));
    world_free(w);
}

static void a_renamed_contact_keeps_everything(void **state) {
    (void)state;
    struct world *w = world_new(3, 31);
    struct node *a;
    struct contact_info c;
    char ticket[TICKET_TEXT_MAX + 1];
    world_pair(w, 0, 1);
    world_pair(w, 0, 2);
    a = w->nodes[0].node;
    assert_int_equal(node_ticket_new(a, w->now_us, "dave", 3600, ticket), 0);
    assert_int_equal(node_contact_rename(a, w->now_us, "nobody", "x"), ERR_NOT_FOUND);
    assert_int_equal(node_contact_rename(a, w->now_us, "n1", "-x"), ERR_USAGE);
    assert_int_equal(node_contact_rename(a, w->now_us, "n1", "n2"), ERR_EXISTS);
    assert_int_equal(node_contact_rename(a, w->now_us, "n1", "dave"), ERR_EXISTS);
    assert_int_equal(node_contact_rename(a, w->now_us, "n1", "n1"), 0);
    assert_int_equal(world_count(w, 0, NODE_CONTACT_RENAMED), 0);
    assert_int_equal(node_contact_rename(a, w->now_us, "n1", "zoe"), 0);
    struct node_event *e = world_wait(w, 0, NODE_CONTACT_RENAMED, S);
    assert_non_null(e);
    assert_string_equal(e->contact, "zoe");
    assert_string_equal(e->detail, "n1");
    assert_true(node_id_equal(&e->node, node_self(w->nodes[1].node)));
    /* The session goes on, and the order of names is kept. */
    assert_false(node_contact_get(a, w->now_us, "n1", &c));
    assert_true(node_contact_get(a, w->now_us, "zoe", &c));
    assert_true(c.online && c.paired);
    assert_true(node_contact_at(a, w->now_us, 0, &c));
    assert_string_equal(c.name, "n2");
    world_kill(w, 0);
    world_start(w, 0);
    a = w->nodes[0].node;
    assert_int_equal(store_count(w, 0, "contacts"), 2);
    assert_false(node_contact_get(a, w->now_us, "n1", &c));
    assert_true(node_contact_get(a, w->now_us, "zoe", &c));
    assert_true(node_id_equal(&c.id, node_self(w->nodes[1].node)));
    assert_int_equal(node_connect(a, w->now_us, "zoe"), 0);
    e = world_wait(w, 0, NODE_PEER_UP, 10 * S);
    assert_non_null(e);
    assert_string_equal(e->contact, "zoe");
    world_free(w);
}

static struct transfer_info offer(struct world *w, unsigned from, const char *path, unsigned at) {
    struct transfer_info t = {0};
    uint64_t id;
    char to[8];
    world_name(0, to);
    disk_fill(w, from, path, 100, from);
    assert_int_equal(node_send(w->nodes[from].node, w->now_us, to, &path, 1, 0, &id), 0);
    world_run(w, 2 * S);
    assert_true(node_transfer_at(w->nodes[0].node, at, &t));
    assert_true(node_id_equal(&t.node, node_self(w->nodes[from].node)));
    return t;
}

/* Who is called so later has nothing of who was called so before. */
static void a_rule_is_about_somebody_not_about_a_name(void **state) {
    (void)state;
    struct world *w = world_new(3, 32);
    struct node *a = w->nodes[0].node;
    uint64_t rule;
    world_pair(w, 0, 1);
    world_pair(w, 0, 2);
    assert_int_equal(node_recv_start(a, w->now_us, "in", "nobody", false, &rule), ERR_NOT_FOUND);
    assert_int_equal(node_recv_start(a, w->now_us, "in", "n1", false, &rule), 0);
    assert_int_equal(offer(w, 1, "f", 0).state, TRANSFER_DONE);
    assert_int_equal(node_contact_rename(a, w->now_us, "n1", "zoe"), 0);
    assert_int_equal(node_contact_rename(a, w->now_us, "n2", "n1"), 0);
    struct transfer_info t = offer(w, 2, "g", 1);
    assert_int_equal(t.state, TRANSFER_OFFERED);
    assert_string_equal(t.contact, "n1");
    t = offer(w, 1, "h", 2);
    assert_int_equal(t.state, TRANSFER_DONE);
    assert_string_equal(t.contact, "zoe");
    assert_true(node_transfer_at(a, 0, &t)); /* the one from before */
    assert_string_equal(t.contact, "zoe");
    world_free(w);
}

/* Node i gets another transport key, certified with the next sequence. */
static void replace_key(struct world *w, unsigned i) {
    struct identity *old = &w->nodes[i].identity, fresh;
    struct dh_secret secret;
    rng_fill(&w->nodes[i].env.rng, &secret, sizeof secret);
    identity_from_secrets(&fresh, &old->sign, &secret, old->transport_seq + 1);
    *old = fresh;
}

static bool meet(struct world *w, unsigned from, const char *name, unsigned to) {
    unsigned ups = world_count(w, to, NODE_PEER_UP);
    (void)!node_connect(w->nodes[from].node, w->now_us, name);
    world_run(w, 12 * S);
    return world_count(w, to, NODE_PEER_UP) > ups;
}

static void a_replaced_transport_key_stays_the_key(void **state) {
    (void)state;
    struct world *w = world_new(2, 34);
    struct identity old;
    for (unsigned i = 0; i < 2; i++) /* from their next start on only those dial who are told to */
        w->nodes[i].cfg.lazy = true;
    world_pair(w, 0, 1);
    world_run(w, 2 * S);
    world_kill(w, 1);
    world_start(w, 1);
    assert_true(meet(w, 1, "n0", 0)); /* all about the pairing has been stored */
    world_kill(w, 1);
    old = w->nodes[1].identity;
    replace_key(w, 1);
    world_start(w, 1);
    assert_true(meet(w, 1, "n0", 0));
    /* Known from now on, by those who dial, too, and after a restart. */
    for (unsigned restart = 0; restart < 2; restart++) {
        world_kill(w, 1);
        world_start(w, 1);
        if (restart) {
            world_kill(w, 0);
            world_start(w, 0);
        } else {
            world_run(w, 700 * S); /* the old session is given up */
        }
        world_run(w, S);
        assert_true(meet(w, 0, "n1", 1));
    }
    /* The key before it is no good any more. */
    world_kill(w, 1);
    w->nodes[1].identity = old;
    world_start(w, 1);
    world_kill(w, 0);
    world_start(w, 0);
    assert_false(meet(w, 1, "n0", 0));
    world_free(w);
}

/* The sequence of the key that was paired with is stored, too: an older key is none. */
static void a_key_older_than_the_paired_one_is_refused(void **state) {
    (void)state;
    struct world *w = world_new(2, 35);
    const struct identity old = w->nodes[1].identity;
    world_kill(w, 1);
    replace_key(w, 1);
    world_start(w, 1);
    world_pair(w, 0, 1);
    world_run(w, 2 * S);
    world_kill(w, 1);
    w->nodes[1].identity = old;
    world_start(w, 1);
    world_kill(w, 0);
    world_start(w, 0);
    assert_false(meet(w, 1, "n0", 0));
    world_free(w);
}

static void a_ping_connects_and_comes_back(void **state) {
    (void)state;
    struct world *w = world_new(2, 7);
    uint64_t id;
    world_pair(w, 0, 1);
    for (unsigned i = 0; i < 2; i++) {
        world_kill(w, i);
        world_start(w, i);
    }
    assert_int_equal(node_ping(w->nodes[1].node, w->now_us, "n0", 5 * S, &id), 0);
    struct node_event *e = world_wait(w, 1, NODE_PONG, 10 * S);
    assert_non_null(e);
    assert_int_equal(e->id, id);
    assert_true(e->rtt_us >= 2 * w->delay_us && e->rtt_us < 3 * w->delay_us);
    assert_true(addr_equal(&e->addr, &w->nodes[0].addr));
    w->nodes[0].unplugged = true;
    assert_int_equal(node_ping(w->nodes[1].node, w->now_us, "n0", 2 * S, &id), 0);
    e = world_wait(w, 1, NODE_PING_FAILED, 10 * S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_TIMEOUT);
    assert_int_equal(node_ping(w->nodes[1].node, w->now_us, "nobody", S, &id), ERR_NOT_FOUND);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(petnames_are_short_plain_and_never_options),
        cmocka_unit_test(a_contact_survives_its_stored_form),
        cmocka_unit_test(relays_and_path_survive_the_stored_form),
        cmocka_unit_test(broken_relays_in_the_store_are_not_read),
        cmocka_unit_test(contacts_stored_under_their_names_are_taken_over),
        cmocka_unit_test(a_removed_contact_gets_no_session),
        cmocka_unit_test(a_renamed_contact_keeps_everything),
        cmocka_unit_test(a_rule_is_about_somebody_not_about_a_name),
        cmocka_unit_test(a_replaced_transport_key_stays_the_key),
        cmocka_unit_test(a_key_older_than_the_paired_one_is_refused),
        cmocka_unit_test(a_ping_connects_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
