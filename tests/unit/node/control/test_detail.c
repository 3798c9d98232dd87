/* What a peer says about an error is shown to people. The node hands its words on as they are, but
 * for what is not UTF-8: who shows them escapes them, once, and JSON has them as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/node_int.h"
#include "support_talk.h"

enum { S = 1000000 };

static const struct {
    const char *said, *shown;
} words[] = {
    {"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"},
    {"line\nline\r\t", "line\nline\r\t"},
    {"\xe2\x80\xae"
     "fdp.exe",
     "\xe2\x80\xae"
     "fdp.exe"},
    {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"back\\slash", "back\\slash"},
    {"plain \xc3\xbc", "plain \xc3\xbc"},
};

static void a_peers_detail_is_told_as_it_is(void **state) {
    (void)state;
    struct world *w = world_new(2, 1);
    struct control *c = talk_serve(w, 0);
    struct talk t;
    talk_open(&t, w, 0, c);
    world_pair(w, 0, 1);
    talk_ask(&t, "events.subscribe");
    json_decref(talk_result(&t));
    disk_fill(w, 0, "/f", 1000, 1);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *path = "/f";
        uint64_t id;
        assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), 0);
        struct node_event *offer = world_wait(w, 1, NODE_TRANSFER_OFFERED, 5 * S);
        assert_non_null(offer);
        struct node *peer = w->nodes[1].node;
        struct transfer *in = transfer_by_id(&peer->transfers, offer->id);
        assert_non_null(in);
        transfer_abort(&peer->transfers, in, ERR_INTEGRITY,
                       words[i].said); /* it says so to the sender */

        struct node_event *e = world_wait(w, 0, NODE_TRANSFER_FAILED, 5 * S);
        assert_non_null(e);
        assert_string_equal(e->detail, words[i].shown);
        struct transfer_info info;
        assert_true(node_transfer_get(w->nodes[0].node, id, &info));
        assert_string_equal(info.detail, words[i].shown);

        json_t *note = talk_notice(&t, "transfer.failed", S);
        assert_non_null(note);
        json_t *error = json_object_get(json_object_get(note, "transfer"), "error");
        assert_string_equal(json_string_value(json_object_get(error, "detail")), words[i].shown);
        json_decref(note);
        proto_uint(talk_ask(&t, "transfer.get"), "id", id);
        json_t *r = talk_result(&t);
        error = json_object_get(json_object_get(r, "transfer"), "error");
        assert_string_equal(json_string_value(json_object_get(error, "detail")), words[i].shown);
        json_decref(r);
    }
    talk_close(&t);
    talk_unserve(w, 0, c);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peers_detail_is_told_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
