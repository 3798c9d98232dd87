/* A message on its stream, byte for byte (docs/PROTOCOL.md §5), from a peer that does as it
 * likes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "node/channel/channel.h"
#include "node/channel/reply.h"
#include "node/message/letter.h"
#include "support_raw.h"

enum { S = 1000000 };

static unsigned count(struct world *w) {
    struct message_info m;
    unsigned n = 0;
    for (uint64_t after = 0; node_message_next(w->nodes[0].node, after, NULL, &m); after = m.seq)
        n++;
    return n;
}

/* A letter with this id and so long a text. */
static uint8_t *letter(uint8_t id, size_t text_len, size_t *len) {
    char *text = malloc(text_len + 1);
    memset(text, 'a', text_len);
    struct letter l = {.wall_ms = 1700000000000, .text = text, .len = text_len};
    memset(l.id, id, sizeof l.id);
    uint8_t *out = letter_encode(&l, len);
    assert_non_null(out);
    free(text);
    return out;
}

/* Sends these bytes on a stream of their own; 0 or the error of the answer. */
static int answer(struct world *w, const uint8_t *bytes, size_t len, bool fin) {
    struct raw r = raw_open(w, 1, 0);
    struct reply reply = {.err = ERR_TIMEOUT};
    raw_listen(&r);
    (void)raw_write(&r, bytes, len);
    if (fin)
        raw_finish(&r);
    bool come = raw_reply(&r, &reply);
    raw_deaf(&r);
    return come ? reply.err : ERR_TIMEOUT;
}

static void one_id_counts_once_and_is_answered_each_time(void **state) {
    (void)state;
    struct world *w = world_new(2, 1);
    size_t len;
    world_pair(w, 0, 1);
    uint8_t *bytes = letter(1, 10, &len);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(answer(w, bytes, len, true), 0);
    assert_int_equal(count(w), 1);
    free(bytes);
    bytes = letter(2, 10, &len);
    assert_int_equal(answer(w, bytes, len, true), 0);
    assert_int_equal(count(w), 2);
    free(bytes);
    world_free(w);
}

static void bytes_after_the_blob_change_nothing(void **state) {
    (void)state;
    struct world *w = world_new(2, 2);
    size_t len;
    world_pair(w, 0, 1);
    uint8_t *bytes = letter(1, 10, &len);
    uint8_t *more = calloc(1, len + 5000);
    memcpy(more, bytes, len);
    assert_int_equal(answer(w, more, len + 5000, false), 0);
    assert_int_equal(count(w), 1);
    free(bytes);
    bytes = letter(2, 10, &len);
    assert_int_equal(answer(w, bytes, len, false), 0); /* an end is not waited for either */
    assert_int_equal(count(w), 2);
    free(bytes);
    free(more);
    world_free(w);
}

static void the_blob_has_a_limit(void **state) {
    (void)state;
    struct world *w = world_new(2, 3);
    size_t len;
    world_pair(w, 0, 1);
    uint8_t *bytes = letter(1, MESSAGE_MAX_BYTES, &len);
    assert_int_equal(answer(w, bytes, len, true), 0);
    free(bytes);
    assert_int_equal(LETTER_MAX_BYTES, 65792);
    uint8_t head[5] = {CHANNEL_MESSAGE, 0x80, 0x01, 0x01, 0x00}; /* 65,792 bytes are promised */
    struct raw r = raw_open(w, 1, 0);
    assert_true(raw_write(&r, head, sizeof head));
    world_run(w, S);
    assert_true(raw_write(&r, head, sizeof head));
    r = raw_open(w, 1, 0);
    head[4] = 1; /* one more is refused before it comes */
    (void)raw_write(&r, head, sizeof head);
    world_run(w, S);
    assert_false(raw_write(&r, head, sizeof head));
    assert_int_equal(count(w), 1);
    world_free(w);
}

static void what_is_no_letter_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *body;
        size_t len;
        int err;
    } cases[] = {
        {"\x80", 1, ERR_PROTO}, /* an empty map */
        {"\xc0", 1, ERR_PROTO}, /* no map */
        {"\x81\xa1v\x02", 4, ERR_UNSUPPORTED},
        {"\x81\xa1v\x01", 4, ERR_PROTO},          /* the rest is missing */
        {"\x82\xa1v\x01\xa1v\x01", 7, ERR_PROTO}, /* doubled */
    };
    struct world *w = world_new(2, 4);
    world_pair(w, 0, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[64] = {CHANNEL_MESSAGE, (uint8_t)cases[i].len};
        memcpy(bytes + 2, cases[i].body, cases[i].len);
        assert_int_equal(answer(w, bytes, 2 + cases[i].len, true), cases[i].err);
    }
    assert_int_equal(count(w), 0);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_id_counts_once_and_is_answered_each_time),
        cmocka_unit_test(bytes_after_the_blob_change_nothing),
        cmocka_unit_test(the_blob_has_a_limit),
        cmocka_unit_test(what_is_no_letter_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
