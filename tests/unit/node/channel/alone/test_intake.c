/* The intakes on streams, contacts and a channel that are the test's own: neither files nor
 * messages are in this program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/base/turn.h"
#include "node/channel/intake.h"
#include "node/peer/peer.h"
#include "node/people/contact.h"
#include "support_streams.h"

enum { S = 1000000, NUMBER = 9, PART = 3, PEERS = 8 };

/* ---- people ---- */
static struct peering peerings[PEERS];
static struct contact people[PEERS];

struct contact *contact_by_session(const struct contacts *all, struct session_ref s) {
    (void)all;
    return s.index < PEERS && peerings[s.index].online ? &people[s.index] : NULL;
}

static struct session_ref session_of(uint32_t peer) {
    return (struct session_ref){.index = peer, .serial = 1};
}

/* ---- a channel: the first byte says how many follow, and two of them mean errors ---- */
static struct {
    unsigned begun, freed, taken, refused;
    int refused_err;
    size_t held;
    bool no_memory;
    struct contact *from;
    uint8_t text[256];
    size_t text_len;
} told;

struct text {
    bool known;
    uint8_t want, len;
    uint8_t bytes[256];
};

static void *text_begin(void *self) {
    assert_ptr_equal(self, &told);
    told.begun += !told.no_memory;
    return told.no_memory ? NULL : calloc(1, sizeof(struct text));
}

static int text_feed(void *body, const uint8_t *p, size_t len, struct channel_fed *out) {
    struct text *t = body;
    for (; out->used < len && !out->whole; out->used++) {
        const uint8_t b = p[out->used];
        if (b == '!' || b == '?') {
            out->answer = b == '?';
            return b == '?' ? ERR_UNSUPPORTED : ERR_PROTO;
        }
        if (t->known)
            t->bytes[t->len++] = b;
        else
            t->want = b;
        t->known = true;
        out->whole = t->len == t->want;
    }
    return 0;
}

static size_t text_held(const void *body) {
    (void)body;
    return told.held;
}

static void text_free(void *body) {
    told.freed++;
    free(body);
}

static void text_take(void *self, struct contact *c, struct session_ref s, uint64_t stream,
                      void *body) {
    const struct text *t = body;
    assert_ptr_equal(self, &told);
    assert_ptr_equal(c, &people[s.index]);
    assert_int_equal(fake_stream(stream)->owner, 0); /* it is nobody's until the channel says */
    told.taken++;
    told.from = c;
    told.text_len = t->len;
    memcpy(told.text, t->bytes, t->len);
    text_free(body);
}

static void text_refuse(void *self, struct session_ref s, uint64_t stream, int err) {
    assert_ptr_equal(self, &told);
    (void)s;
    (void)stream;
    told.refused++;
    told.refused_err = err;
}

static const struct channel_ops text_channel = {.number = NUMBER,
                                                .begin = text_begin,
                                                .feed = text_feed,
                                                .held_bytes = text_held,
                                                .take = text_take,
                                                .refuse = text_refuse,
                                                .free = text_free};

/* ---- a part of no node ---- */
static struct turn turn;
static struct intakes intakes;

static int setup(void **state) {
    (void)state;
    memset(&told, 0, sizeof told);
    told.held = 100;
    fake_clear();
    turn = (struct turn){.now_us = S};
    intakes = (struct intakes){.turn = &turn, .part = PART};
    intakes_serve(&intakes, &text_channel, &told);
    for (unsigned i = 0; i < PEERS; i++) {
        peerings[i] = (struct peering){.online = true, .session = session_of(i)};
        people[i] = (struct contact){.peering = &peerings[i]};
    }
    return 0;
}

/* Nothing is left, and each body was freed once. */
static int teardown(void **state) {
    (void)state;
    intakes_part.clear(&intakes);
    assert_int_equal(intakes.count, 0);
    assert_int_equal(intakes.bytes, 0);
    assert_null(intakes.shares);
    assert_int_equal(told.begun, told.freed);
    return 0;
}

static void come(uint32_t peer, uint64_t stream, const char *bytes, size_t len) {
    fake_come(stream, bytes, len);
    intake_opened(&intakes, session_of(peer), stream);
}

static bool event(uint32_t peer, uint64_t stream, enum ep_event_kind kind) {
    const struct ep_event ev = {.kind = kind,
                                .session = session_of(peer),
                                .stream = stream,
                                .owner = fake_stream(stream)->owner};
    return intakes_part.stream_event(&intakes, &people[peer], &ev);
}

static void assert_ended(uint64_t stream, int err) {
    assert_int_equal(fake_stream(stream)->reset, err);
    assert_int_equal(fake_stream(stream)->stopped, err);
}

/* ---- promises ---- */
static void a_body_is_gathered_in_pieces_and_handed_over(void **state) {
    (void)state;
    static const char all[] = {NUMBER, 5, 'h', 'e', 'l', 'l', 'o', 'x'};
    come(2, 7, all, 1);
    for (unsigned i = 1; i < 7; i++) {
        assert_int_equal(told.taken, 0);
        fake_come(7, &all[i], i == 6 ? 2 : 1); /* one byte more: not ours to take */
        assert_true(event(2, 7, EP_STREAM_READABLE));
    }
    assert_int_equal(told.taken, 1);
    assert_ptr_equal(told.from, &people[2]);
    assert_int_equal(told.text_len, 5);
    assert_memory_equal(told.text, "hello", 5);
    assert_int_equal(fake_stream(7)->in_len, 1);
    assert_int_equal(intakes.count, 0);
    assert_false(event(2, 7, EP_STREAM_READABLE)); /* the channel's from now on */
    assert_ended(7, 0);
}

static void what_no_channel_serves_is_unsupported(void **state) {
    (void)state;
    come(0, 1, "\x08\x01x", 3);
    assert_ended(1, ERR_UNSUPPORTED);
    come(0, 2, "\x00\x01x", 3);
    assert_ended(2, ERR_UNSUPPORTED);
    assert_int_equal(told.begun, 0);
    fake_stream(3)->fin = true; /* and what ends before it has begun is none */
    come(0, 3, "", 0);
    assert_ended(3, ERR_PROTO);
}

static void a_channel_says_whether_its_error_is_answered(void **state) {
    (void)state;
    come(0, 1, "\x09\x03!", 3);
    assert_ended(1, ERR_PROTO);
    assert_int_equal(told.refused, 0);
    come(0, 2, "\x09\x03?", 3);
    assert_ended(2, 0); /* the channel's own words */
    assert_int_equal(told.refused, 1);
    assert_int_equal(told.refused_err, ERR_UNSUPPORTED);
    assert_int_equal(intakes.count, 0);
}

static void without_memory_it_is_refused(void **state) {
    (void)state;
    told.no_memory = true;
    come(0, 1, "\x09\x03", 2);
    assert_ended(1, ERR_NOMEM);
}

static void a_session_has_a_share_of_places(void **state) {
    (void)state;
    for (uint64_t i = 0; i <= INTAKES_MAX_PER_CONTACT; i++)
        come(1, i, "\x09\x03", 2);
    assert_int_equal(intakes.count, INTAKES_MAX_PER_CONTACT);
    assert_ended(INTAKES_MAX_PER_CONTACT, ERR_FULL);
    assert_int_equal(intakes.refusals, 1);
    come(2, 200, "\x09\x03", 2); /* somebody else's is taken */
    assert_ended(200, 0);
}

static void a_session_has_a_share_of_memory_by_the_channels_word(void **state) {
    (void)state;
    told.held = INTAKE_BYTES_MAX_PER_CONTACT / 2;
    come(1, 0, "\x09\x03", 2);
    come(1, 1, "\x09\x03", 2);
    assert_int_equal(intakes.bytes, INTAKE_BYTES_MAX_PER_CONTACT);
    come(1, 2, "\x09\x03", 2);
    assert_ended(2, ERR_FULL);
    assert_int_equal(intakes.count, 2);
    /* All together: whoever holds most gives way, by its largest. */
    come(2, 3, "\x09\x03", 2);
    come(2, 4, "\x09\x03", 2);
    assert_int_equal(intakes.bytes, INTAKE_BYTES_MAX);
    come(3, 5, "\x09\x03", 2);
    assert_int_equal(intakes.evictions, 1);
    assert_int_equal(intakes.count, 4);
    assert_ended(5, 0);
    assert_int_equal((fake_stream(0)->reset == ERR_FULL) + (fake_stream(1)->reset == ERR_FULL) +
                         (fake_stream(3)->reset == ERR_FULL) + (fake_stream(4)->reset == ERR_FULL),
                     1);
}

static void what_does_not_go_on_ends(void **state) {
    (void)state;
    come(0, 1, "\x09\x03", 2);
    assert_int_equal(intakes_part.deadline_us(&intakes), turn.now_us + INTAKE_PROGRESS_US);
    turn.now_us += INTAKE_PROGRESS_US;
    intakes_part.timeout(&intakes);
    assert_ended(1, ERR_TIMEOUT);
    assert_int_equal(intakes_part.deadline_us(&intakes), UINT64_MAX);
    assert_false(event(0, 1, EP_STREAM_READABLE)); /* one that comes late finds nothing */
}

static void a_reset_and_the_end_of_a_session_end_it(void **state) {
    (void)state;
    come(0, 1, "\x09\x03", 2);
    assert_true(event(0, 1, EP_STREAM_RESET));
    assert_ended(1, ERR_RESET);
    come(0, 2, "\x09\x03", 2);
    come(1, 3, "\x09\x03", 2);
    intakes_part.peer_down(&intakes, &people[0], ERR_CLOSED);
    assert_int_equal(intakes.count, 1);
    assert_true(event(1, 3, EP_STREAM_READABLE));
    assert_false(event(0, 2, EP_STREAM_READABLE));
}

static void who_is_no_contact_is_not_listened_to(void **state) {
    (void)state;
    peerings[4].online = false;
    come(4, 1, "\x09\x03", 2);
    assert_ended(1, ERR_CLOSED);
    assert_int_equal(told.begun, 0);
}

#define PROMISE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void who_asks_and_holds_the_most_gives_way_itself(void **state) {
    (void)state;
    static const char part[] = {NUMBER, 5, 'h'};
    told.held = 16 << 20;
    come(0, 1, part, sizeof part);
    come(1, 2, part, sizeof part);
    told.held = 17 << 20;
    come(2, 3, part, sizeof part);
    assert_ended(3, ERR_FULL);
    assert_int_equal(intakes.evictions, 0);
    assert_int_equal(intakes.count, 2);
    told.held = 15 << 20; /* and otherwise the one that holds the most */
    come(3, 4, part, sizeof part);
    told.held = 4 << 20;
    come(4, 5, part, sizeof part);
    assert_ended(5, 0);
    assert_int_equal(intakes.evictions, 1);
    assert_true((fake_stream(1)->reset == ERR_FULL) != (fake_stream(2)->reset == ERR_FULL));
}

static void what_is_refused_leaves_nothing_behind(void **state) {
    (void)state;
    for (unsigned i = 0; i < 400; i++)
        come(0, i, "", 0);
    assert_int_equal(intakes.count, INTAKES_MAX_PER_CONTACT);
    assert_int_equal(intakes.refusals, 400 - INTAKES_MAX_PER_CONTACT);
    assert_true(intakes.handles.count <= INTAKES_MAX_PER_CONTACT + 1);
}

static void what_waits_for_the_next_step_is_not_late(void **state) {
    (void)state;
    enum { MANY = 40 };
    static const char all[] = {NUMBER, 2, 'h', 'i'};
    intakes.step_bytes = INTAKE_STEP_BYTES; /* this one has had its work */
    for (unsigned i = 0; i < MANY; i++)
        come(0, i, all, sizeof all);
    assert_int_equal(told.taken, 0);
    assert_int_equal(intakes_part.deadline_us(&intakes), turn.now_us);
    turn.now_us += INTAKE_PROGRESS_US + 1;
    for (unsigned i = 0; i < MANY && told.taken < MANY; i++) {
        const unsigned before = told.taken;
        intakes_part.timeout(&intakes);
        assert_in_range(told.taken - before, 1, INTAKE_STEP_BYTES / INTAKE_WHOLE_BYTES);
    }
    assert_int_equal(told.taken, MANY);
    assert_int_equal(intakes.timeouts, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PROMISE(a_body_is_gathered_in_pieces_and_handed_over),
        PROMISE(what_no_channel_serves_is_unsupported),
        PROMISE(a_channel_says_whether_its_error_is_answered),
        PROMISE(without_memory_it_is_refused),
        PROMISE(a_session_has_a_share_of_places),
        PROMISE(a_session_has_a_share_of_memory_by_the_channels_word),
        PROMISE(what_does_not_go_on_ends),
        PROMISE(a_reset_and_the_end_of_a_session_end_it),
        PROMISE(who_is_no_contact_is_not_listened_to),
        PROMISE(who_asks_and_holds_the_most_gives_way_itself),
        PROMISE(what_is_refused_leaves_nothing_behind),
        PROMISE(what_waits_for_the_next_step_is_not_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
