/* What the log says of the node's events: sentences that somebody who has never seen the code
 * understands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "crypto/base/err.h"
#include "node/daemon/event_line.h"

static void each_kind_has_its_sentence(void **state) {
    (void)state;
    static const struct {
        struct node_event e;
        const char *line;
    } cases[] = {
        {{.kind = NODE_PEER_UP, .contact = "bob"}, "\"bob\" is online"},
        {{.kind = NODE_PEER_DOWN,
          .contact = "bob",
          .err = ERR_CLOSED,
          .cause = {.side = SIDE_BETWEEN}},
         "\"bob\" is offline: the connection is closed"},
        {{.kind = NODE_PEER_DOWN, .contact = "bob"},
         "\"bob\" is idle: nobody has needed it for long, so its session has ended"},
        {{.kind = NODE_PEER_SILENT, .contact = "bob", .err = ERR_OFFLINE},
         "\"bob\" does not answer, though its session is up"},
        {{.kind = NODE_PEER_ANSWERS, .contact = "bob"}, "\"bob\" answers again"},
        {{.kind = NODE_CONNECT_FAILED, .contact = "bob", .err = ERR_OFFLINE},
         "\"bob\" was not reached: the peer cannot be reached now"},
        {{.kind = NODE_CONTACT_ADDED, .contact = "bob"}, "\"bob\" is a contact now"},
        {{.kind = NODE_CONTACT_REMOVED, .contact = "bob"}, "\"bob\" is no contact any more"},
        {{.kind = NODE_CONTACT_RENAMED, .contact = "bob", .detail = "rob"},
         "\"rob\" is called \"bob\" now"},
        {{.kind = NODE_PATH_CHANGED,
          .contact = "bob",
          .from = "192.0.2.1:7",
          .to = "relay 192.0.2.9:7",
          .detail = "it is the best"},
         "\"bob\" is now reached at relay 192.0.2.9:7, before at 192.0.2.1:7: it is the best"},
        {{.kind = NODE_RELAY,
          .relay = RELAY_NEWS_HOME,
          .total = 1,
          .detail = "relay 192.0.2.9:7: this node can be reached through it"},
         "relay 192.0.2.9:7: this node can be reached through it"},
        {{.kind = NODE_TRANSFER_OFFERED, .contact = "bob", .id = 3},
         "\"bob\" offers transfer 3; take it with: meshctl accept 3"},
        {{.kind = NODE_TRANSFER_STARTED, .contact = "bob", .id = 3},
         "transfer 3 with \"bob\" has begun"},
        {{.kind = NODE_TRANSFER_PROGRESS, .contact = "bob", .id = 3, .bytes = 1, .total = 2},
         "transfer 3 with \"bob\": 1 of 2 bytes"},
        {{.kind = NODE_TRANSFER_DONE, .contact = "bob", .id = 3},
         "transfer 3 with \"bob\" is complete and verified"},
        {{.kind = NODE_TRANSFER_FAILED,
          .contact = "bob",
          .id = 3,
          .err = ERR_DISK,
          .detail = "/mnt"},
         "transfer 3 with \"bob\" has failed: the disk is full here, or a quota is used up: /mnt"},
        {{.kind = NODE_TRANSFER_FAILED,
          .contact = "bob",
          .id = 3,
          .err = ERR_DISK,
          .cause = {.side = SIDE_PEER}},
         "transfer 3 with \"bob\" has failed: the peer's disk is full, or a quota there is used "
         "up"},
        {{.kind = NODE_TRANSFER_FAILED,
          .contact = "bob",
          .id = 3,
          .err = ERR_EXISTS,
          .detail = "gpj\xe2\x80\xae\x1b.exe"},
         "transfer 3 with \"bob\" has failed: the name is already taken: gpj\\u{202e}\\x1b.exe"},
        {{.kind = NODE_MESSAGE, .contact = "bob", .id = 5},
         "message 5 from \"bob\" has come; read it with: meshctl msgs"},
        {{.kind = NODE_MESSAGE_QUEUED, .contact = "bob", .id = 5},
         "message 5 to \"bob\" is stored, and leaves"},
        {{.kind = NODE_MESSAGE_DELIVERED, .contact = "bob", .id = 5},
         "message 5 to \"bob\" is delivered"},
        {{.kind = NODE_MESSAGE_REFUSED,
          .contact = "bob",
          .id = 5,
          .err = ERR_FULL,
          .cause = {SIDE_PEER, LIMIT_QUOTA, 32 << 20}},
         "\"bob\" does not take message 5 now: this node's messages fill their quota at the peer "
         "(32 MiB at most, quota in their meshd.conf); it is sent again"},
        {{.kind = NODE_MESSAGE_FAILED, .contact = "bob", .id = 5, .err = ERR_PROTO},
         "\"bob\" will never take message 5: the other side broke the protocol"},
        {{.kind = NODE_MESSAGE_FULL, .contact = "bob", .total = 70000},
         "messages from \"bob\" find no room, they fill their 70000 bytes; make some with: meshctl "
         "msgs --with bob --delete"},
        {{.kind = NODE_MESSAGE_FULL, .contact = "b; $(id) 'b'", .total = 70000},
         "messages from \"b; $(id) 'b'\" find no room, they fill their 70000 bytes; make some "
         "with: meshctl "
         "msgs --with 'b; $(id) '\"'\"'b'\"'\"'' --delete"},
        {{.kind = NODE_CONTACT_DENIED, .contact = "bob", .err = ERR_UNKNOWN},
         "\"bob\" does not let this node in: this node is not among their contacts; ask them for a "
         "new "
         "ticket, and add it under the same name"},
        {{.kind = NODE_PAIRING_FAILED, .contact = "bob", .err = ERR_IO},
         "pairing with \"bob\" could not be stored: reading or writing failed here; its ticket "
         "still holds"},
        {{.kind = NODE_PONG, .contact = "bob", .id = 1, .rtt_us = 9},
         "\"bob\" answered ping 1 after 9 us"},
        {{.kind = NODE_PING_FAILED, .contact = "bob", .id = 1, .err = ERR_TIMEOUT},
         "\"bob\" did not answer ping 1: it took longer than allowed"},
        {{.kind = NODE_TICKET_STORED, .id = 77}, "an open ticket is safe on the disk"},
    };
    bool seen[NODE_EVENT_KINDS] = {false};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[EVENT_LINE_MAX];
        event_line(line, &cases[i].e);
        assert_string_equal(line, cases[i].line);
        seen[cases[i].e.kind] = true;
    }
    for (int k = 0; k < NODE_EVENT_KINDS; k++)
        if (!seen[k])
            fail_msg("no case for %s", node_event_name((enum node_event_kind)k));
}

/* The longest of everything is cut, not written elsewhere. */
static void the_longest_fits(void **state) {
    (void)state;
    for (int k = 0; k < NODE_EVENT_KINDS; k++) {
        struct node_event e = {.kind = (enum node_event_kind)k, .id = UINT64_MAX, .err = ERR_AUTH};
        char line[EVENT_LINE_MAX];
        memset(e.contact, 'c', sizeof e.contact - 1);
        memset(e.detail, 'd', sizeof e.detail - 1);
        event_line(line, &e);
        assert_true(strlen(line) < sizeof line - 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_sentence),
        cmocka_unit_test(the_longest_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
