/* By which ways a contact is reached, on an endpoint that is the test's own: it hears of a change
 * at once, and what a contact says of its relays costs the disk no more than its addresses do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support_peers.h"

static unsigned changed;

static void ways_changed(void *self, struct contact *c) {
    (void)self;
    (void)c;
    changed++;
}

static const struct part_ops above = {.ways_changed = ways_changed};

static void begin(struct scene *s) {
    scene_begin(s);
    (void)parts_add(&s->turn.parts, &above, NULL);
    changed = 0;
}

static struct relay_set one_relay(uint16_t port) {
    return (struct relay_set){.count = 1,
                              .list = {{.port = port, .id = {{7}}, .host = "relay.example"}}};
}

static void the_endpoint_hears_of_a_path_at_once(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    struct contact *ann = scene_contact(&s, "ann", 1), *bob = scene_contact(&s, "bob", 2);
    const struct fake_peer *a = &fake[ann->peering->ref.index], *b = &fake[bob->peering->ref.index];
    assert_int_equal(a->setup.path, PATH_AUTO);
    assert_int_equal(contact_set_path(&s.people, ann, CONTACT_PATH_RELAY_ONLY), 0);
    assert_int_equal(a->setup.path, PATH_RELAY_ONLY);
    assert_int_equal(b->setup.path, PATH_AUTO);
    assert_int_equal(changed, 1);
    contacts_set_path(&s.people, PATH_DIRECT_ONLY); /* bob has none of his own */
    assert_int_equal(a->setup.path, PATH_RELAY_ONLY);
    assert_int_equal(b->setup.path, PATH_DIRECT_ONLY);
    assert_int_equal(changed, 2);
    contacts_set_path(&s.people, PATH_DIRECT_ONLY);
    assert_int_equal(changed, 2);
    assert_int_equal(contact_set_path(&s.people, ann, CONTACT_PATH_NODE), 0);
    assert_int_equal(a->setup.path, PATH_DIRECT_ONLY);
    scene_end(&s);
}

static void one_that_cannot_be_stored_does_not_hold(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    struct contact *ann = scene_contact(&s, "ann", 1);
    store_mem_fail(s.memory, 0, ERR_DISK);
    assert_int_not_equal(contact_set_path(&s.people, ann, CONTACT_PATH_RELAY_ONLY), 0);
    assert_int_equal(fake[ann->peering->ref.index].setup.path, PATH_AUTO);
    assert_int_equal(ann->path, CONTACT_PATH_NODE);
    assert_int_equal(changed, 0);
    store_mem_fail(s.memory, 0, 0);
    scene_end(&s);
}

static void what_a_contact_says_of_its_relays_is_kept(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    struct contact *ann = scene_contact(&s, "ann", 1);
    struct relay_set set = one_relay(1), none = {.count = 0};
    assert_int_equal(contact_set_relays(&s.people, ann, &none), 0);
    assert_int_equal(changed, 0);
    assert_int_equal(contact_set_relays(&s.people, ann, &set), 0);
    assert_int_equal(contact_set_relays(&s.people, ann, &set), 0); /* nothing new */
    assert_int_equal(changed, 1);
    scene_restart(&s);
    ann = contact_by_name(&s.people, "ann");
    assert_true(relay_set_equal(ann->relays, &set));
    assert_int_equal(contact_set_relays(&s.people, ann, &none), 0);
    assert_null(ann->relays);
    scene_restart(&s);
    assert_null(contact_by_name(&s.people, "ann")->relays);
    scene_end(&s);
}

static void who_has_others_each_time_costs_the_disk_no_more(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    struct contact *ann = scene_contact(&s, "ann", 1);
    struct relay_set set;
    unsigned stored = 0;
    for (uint16_t port = 1; port <= 100; port++) {
        set = one_relay(port);
        assert_int_equal(contact_set_relays(&s.people, ann, &set), 0);
        assert_true(relay_set_equal(ann->relays, &set)); /* in use they are at once */
        stored += !ann->unstored;
    }
    assert_int_equal(stored, CONTACT_SEEN_BURST);
    contacts_end(&s.people);
    scene_restart(&s);
    assert_true(relay_set_equal(contact_by_name(&s.people, "ann")->relays, &set));
    scene_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_endpoint_hears_of_a_path_at_once),
        cmocka_unit_test(one_that_cannot_be_stored_does_not_hold),
        cmocka_unit_test(what_a_contact_says_of_its_relays_is_kept),
        cmocka_unit_test(who_has_others_each_time_costs_the_disk_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
