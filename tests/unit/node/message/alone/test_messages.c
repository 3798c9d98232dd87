/* The room of messages on streams, contacts and calls that are the test's own, with the simulator's
 * store: what is kept of a talk with somebody, what leaves and when, what comes and is answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/keep.h"
#include "node/base/owner.h"
#include "node/channel/delimited.h"
#include "node/channel/reply.h"
#include "node/message/conversation.h"
#include "node/message/letter.h"
#include "node/message/letter_in.h"
#include "node/message/message.h"
#include "sim/disk/store_mem.h"
#include "support_streams.h"

enum { S = 1000000, PART = 5, PEOPLE = 2, BELOW = 7 /* a peer's stream */ };

/* ---- people and calls ---- */
static struct peering peerings[PEOPLE];
static struct contact people[PEOPLE];
static struct contact *list[PEOPLE] = {&people[0], &people[1]};
static uint64_t dialled_at_us;
static unsigned dialled_now, answered;

struct contact *contact_by_name(const struct contacts *all, const char *name) {
    (void)all;
    for (unsigned i = 0; i < PEOPLE; i++)
        if (strcmp(people[i].name, name) == 0)
            return &people[i];
    return NULL;
}

struct contact *contact_by_id(const struct contacts *all, const struct node_id *id) {
    (void)all;
    for (unsigned i = 0; i < PEOPLE; i++)
        if (node_id_equal(&people[i].id, id))
            return &people[i];
    return NULL;
}

struct contact *contact_by_serial(const struct contacts *all, uint32_t serial) {
    (void)all;
    return serial > 0 && serial <= PEOPLE ? &people[serial - 1] : NULL;
}

struct node_event *contacts_tell(const struct contacts *all, enum node_event_kind kind,
                                 const char *name) {
    return turn_tell(all->turn, kind, name);
}

int dial_now(struct dials *dials, struct peering *p) {
    (void)dials;
    (void)p;
    dialled_now++;
    return 0;
}

void dial_at(struct dials *dials, struct peering *p, uint64_t at_us) {
    (void)dials;
    (void)p;
    dialled_at_us = at_us;
}

void dial_answered(struct dials *dials, struct peering *p) {
    (void)dials;
    (void)p;
    answered++;
}

void dial_expect(struct dials *dials, struct peering *p) {
    (void)dials;
    (void)p;
}

void dial_probe(struct dials *dials, struct peering *p) {
    (void)dials;
    (void)p;
}

void watch_start(struct watch *watch) {
    (void)watch;
}

/* ---- a part of no node ---- */
static struct store_mem *disk;
static struct turn turn;
static struct work work;
static struct keep keep;
static struct contacts contacts;
static struct messages talk;

static void count_up(void *ctx, void *buf, size_t len) {
    uint8_t *n = ctx, *out = buf;
    for (size_t i = 0; i < len; i++)
        out[i] = (*n)++;
}

static void begin(void) {
    static uint8_t n;
    turn = (struct turn){.now_us = S, .wall_us = 1000 * (uint64_t)S, .wall_at_us = S};
    turn.env.store = store_mem_face(disk);
    turn.env.rng = (struct rng){count_up, &n};
    keep = (struct keep){.turn = &turn, .work = &work};
    contacts = (struct contacts){.turn = &turn, .keep = &keep, .list = list, .count = PEOPLE};
    talk = (struct messages){.turn = &turn, .keep = &keep, .contacts = &contacts, .part = PART};
    talk.history.quota_bytes = talk.history.quota_contact_bytes = 1 << 20;
    history_setup(&talk.history, &turn, &keep, &contacts);
    for (unsigned i = 0; i < PEOPLE; i++) {
        peerings[i] = (struct peering){.session = {.index = i, .serial = 1}};
        people[i] = (struct contact){.peering = &peerings[i], .serial = i + 1, .id = {{1}}};
        people[i].id.bytes[1] = (uint8_t)i;
        snprintf(people[i].name, sizeof people[i].name, "p%u", i);
        assert_int_equal(messages_part.contact_new(&talk, &people[i]), 0);
    }
    assert_int_equal(messages_part.load(&talk), 0);
}

static void end(void) {
    messages_part.clear(&talk);
    for (unsigned i = 0; i < PEOPLE; i++)
        assert_null(people[i].talk);
    keep_clear(&keep);
    news_clear(&turn.news);
    work_clear(&work);
}

static int setup(void **state) {
    (void)state;
    fake_clear();
    dialled_at_us = dialled_now = answered = 0;
    disk = store_mem_new();
    assert_non_null(disk);
    begin();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    end();
    store_mem_free(disk);
    return 0;
}

/* What was committed is safe: debts are paid. */
static void barrier(void) {
    keep_pump(&keep);
    struct file_op *op = work_take(&work);
    assert_non_null(op);
    assert_int_equal(op->kind, FILE_OP_STORE_SYNC);
    op->err = 0;
    keep_op_done(&keep, op);
}

static bool happened(enum node_event_kind kind, struct node_event *out) {
    while (news_take(&turn.news, out))
        if (out->kind == kind)
            return true;
    return false;
}

static bool event(unsigned who, uint64_t stream, enum ep_event_kind kind) {
    const struct ep_event ev = {.kind = kind,
                                .session = peerings[who].session,
                                .stream = stream,
                                .owner = fake_stream(stream)->owner};
    return messages_part.stream_event(&talk, &people[who], &ev);
}

static void up(unsigned who) {
    peerings[who].online = true;
    messages_part.peer_up(&talk, &people[who]);
}

static uint64_t say(const char *name, const char *text) {
    uint64_t seq = 0;
    assert_int_equal(message_send(&talk, name, text, strlen(text), &seq), 0);
    return seq;
}

/* The peer's answer on the stream that was opened last. */
static void reply(unsigned who, int err) {
    const struct reply r = {.err = err};
    uint8_t bytes[REPLY_MAX_BYTES];
    size_t len;
    assert_int_equal(reply_encode(&r, bytes, &len), 0);
    fake_come(fake_opened(), bytes, len);
    assert_true(event(who, fake_opened(), EP_STREAM_READABLE));
}

static bool carries(uint64_t stream, const char *text) {
    const struct fake_stream *f = fake_stream(stream);
    bool found = false;
    for (size_t i = 0; i + strlen(text) <= f->out_len; i++)
        found |= memcmp(f->out + i, text, strlen(text)) == 0;
    return found;
}

static struct contact_info shown(unsigned who) {
    struct contact_info i = {.queued = 0};
    message_contact_info(&people[who], &i);
    return i;
}

/* ---- promises ---- */
static void a_message_leaves_once_it_is_safe_and_the_contact_is_there(void **state) {
    (void)state;
    struct node_event e;
    const uint64_t seq = say("p0", "hello");
    assert_int_equal(dialled_now, 1);
    assert_int_equal(shown(0).queued, 1);
    up(0);
    assert_int_equal(fake_opened(), UINT64_MAX); /* a power cut could still take it */
    barrier();
    assert_true(happened(NODE_MESSAGE_QUEUED, &e));
    const struct fake_stream *f = fake_stream(fake_opened());
    assert_true(f->finished && f->out_len > 5);
    assert_int_equal(owner_part(f->owner), PART);
    assert_true(messages_part.waits(&talk, &people[0]));
    reply(0, 0);
    assert_int_equal(answered, 1);
    assert_true(happened(NODE_MESSAGE_DELIVERED, &e));
    assert_int_equal(e.id, seq);
    assert_int_equal(shown(0).queued, 0);
    assert_false(messages_part.waits(&talk, &people[0]));
    assert_true(f->let_go);
    assert_false(event(0, fake_opened(), EP_STREAM_RESET)); /* nobody's any more */
}

static void one_is_on_its_way_at_a_time_and_in_order(void **state) {
    (void)state;
    up(0);
    say("p0", "one");
    say("p0", "two");
    barrier();
    const uint64_t first = fake_opened();
    assert_int_equal(shown(0).queued, 2);
    reply(0, 0);
    const uint64_t second = fake_opened();
    assert_true(first != second);
    assert_true(carries(first, "one") && carries(second, "two"));
    reply(0, 0);
    assert_int_equal(shown(0).queued, 0);
}

static void not_now_is_tried_later_and_later(void **state) {
    (void)state;
    struct node_event e;
    up(0);
    say("p0", "hello");
    barrier();
    reply(0, ERR_FULL);
    assert_true(happened(NODE_MESSAGE_REFUSED, &e));
    assert_int_equal(shown(0).refused, ERR_FULL);
    assert_int_equal(shown(0).queued, 1);
    assert_int_equal(dialled_at_us, turn.now_us + MESSAGE_HOLD_US);
    messages_part.peer_down(&talk, &people[0], ERR_CLOSED);
    up(0); /* a new session does not make a "no" a "yes" */
    assert_null(people[0].talk->posting);
    turn.now_us += MESSAGE_HOLD_US;
    messages_part.retry(&talk, &people[0]);
    reply(0, ERR_FULL);
    assert_false(happened(NODE_MESSAGE_REFUSED, &e)); /* that is no news */
    assert_int_equal(dialled_at_us, turn.now_us + 2 * MESSAGE_HOLD_US);
    turn.now_us += 2 * MESSAGE_HOLD_US;
    messages_part.retry(&talk, &people[0]);
    reply(0, 0);
    assert_int_equal(shown(0).refused, 0);
}

static void never_is_for_good(void **state) {
    (void)state;
    struct node_event e;
    struct message_info m;
    up(0);
    say("p0", "hello");
    barrier();
    reply(0, ERR_PROTO);
    assert_true(happened(NODE_MESSAGE_FAILED, &e));
    assert_int_equal(shown(0).queued, 0);
    assert_true(message_next(&talk, 0, "p0", &m));
    assert_int_equal(m.state, MESSAGE_FAILED);
    assert_int_equal(m.err, ERR_PROTO);
}

/* A stream of a peer's, through the channel's row. */
static void letter(unsigned who, uint8_t id, const char *text) {
    struct letter l = {.wall_ms = 1, .text = text, .len = strlen(text), .id = {id}};
    size_t len;
    uint8_t *bytes = letter_encode(&l, &len);
    struct channel_fed fed = {0};
    void *body = letter_in_channel.begin(&talk);
    fake_stream(BELOW)->out_len = 0;
    assert_int_equal(bytes[0], letter_in_channel.number);
    assert_int_equal(letter_in_channel.feed(body, bytes + 1, len - 1, &fed), 0);
    assert_true(fed.whole);
    letter_in_channel.take(&talk, &people[who], peerings[who].session, BELOW, body);
    free(bytes);
}

static bool said_yes(void) {
    struct blob_in b;
    struct reply r = {.err = ERR_PROTO};
    size_t used;
    blob_in_init(&b, REPLY_MAX_BYTES);
    const struct fake_stream *f = fake_stream(BELOW);
    assert_int_equal(blob_in_feed(&b, f->out, f->out_len, &used), 0);
    const bool whole = b.whole && reply_decode(&r, b.buf, b.len) == 0;
    blob_in_clear(&b);
    return whole && r.err == 0;
}

static void what_comes_is_answered_once_it_is_safe_and_told_once(void **state) {
    (void)state;
    struct node_event e;
    struct message_info m;
    letter(1, 1, "hi");
    assert_false(said_yes());
    assert_false(message_next(&talk, 0, NULL, &m)); /* nor is it shown */
    assert_int_equal(people[1].talk->answers, 1);
    barrier();
    assert_true(said_yes());
    assert_int_equal(people[1].talk->answers, 0);
    assert_true(happened(NODE_MESSAGE, &e));
    letter(1, 1, "hi"); /* its answer was lost: the same again */
    assert_true(keep_pay(&keep));
    assert_true(said_yes());
    assert_false(happened(NODE_MESSAGE, &e));
    assert_true(message_next(&talk, 0, "p1", &m));
    assert_int_equal(m.len, 2);
    assert_false(message_next(&talk, m.seq, "p1", &m));
    assert_false(message_next(&talk, 0, "p0", &m));
    assert_true(shown(1).message_bytes > 2);
}

static void the_books_are_found_again_at_the_next_start(void **state) {
    (void)state;
    struct message_info m;
    say("p0", "waits");
    barrier();
    letter(1, 1, "came");
    barrier();
    end();
    begin();
    assert_int_equal(talk.queued, 1);
    assert_int_equal(shown(0).queued, 1);
    assert_int_equal(talk.history.count, 1);
    assert_true(message_next(&talk, 0, "p0", &m));
    assert_int_equal(m.state, MESSAGE_QUEUED);
    up(0); /* and leaves */
    assert_true(fake_opened() != UINT64_MAX);
}

static void what_waits_for_somebody_who_goes_is_void(void **state) {
    (void)state;
    struct message_info m;
    up(0);
    say("p0", "hello");
    barrier();
    assert_int_equal(keep_begin(&keep), 0);
    assert_int_equal(messages_part.contact_void(&talk, &people[0]), 0);
    assert_int_equal(keep_end(&keep, 0), 0);
    messages_part.contact_gone(&talk, &people[0]);
    assert_null(people[0].talk);
    assert_int_equal(talk.queued, 0);
    assert_int_equal(messages_part.contact_new(&talk, &people[0]), 0); /* a contact again */
    assert_true(message_next(&talk, 0, "p0", &m));
    assert_int_equal(m.state, MESSAGE_CANCELLED);
}

#define PROMISE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        PROMISE(a_message_leaves_once_it_is_safe_and_the_contact_is_there),
        PROMISE(one_is_on_its_way_at_a_time_and_in_order),
        PROMISE(not_now_is_tried_later_and_later),
        PROMISE(never_is_for_good),
        PROMISE(what_comes_is_answered_once_it_is_safe_and_told_once),
        PROMISE(the_books_are_found_again_at_the_next_start),
        PROMISE(what_waits_for_somebody_who_goes_is_void),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
