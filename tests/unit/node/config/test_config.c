/* What a configuration file may say, and on which line it is wrong; what is written reads the
 * same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/api/utf8.h"
#include "node/config/config.h"
#include "node/config/ini.h"

/* The ids of 32 bytes 01 and of 32 bytes 02. */
#define ONE "mesh1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqswqwm2a"
#define THREE "mesh1zkdl7a00esu8xzk0967u2wwetdzaru3m5w94wpxx6wku3muqkkesn5cz2z"
#define TWO "mesh1qgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqrkful4"

static int parse(struct config *c, const char *text, struct config_error *e) {
    config_init(c);
    return config_parse(c, text, strlen(text), e);
}

static void an_empty_file_gives_the_defaults(void **s) {
    (void)s;
    struct config c;
    struct config_error e;
    assert_int_equal(parse(&c, "", &e), 0);
    assert_int_equal(c.listen_count, 2);
    assert_true(c.listen_default);
    assert_int_equal(c.listen[0].kind, ADDR_IPV4);
    assert_int_equal(c.listen[1].kind, ADDR_IPV6);
    assert_int_equal(c.listen[0].port, CONFIG_PORT);
    assert_int_equal(c.listen[1].port, CONFIG_PORT);
    assert_int_equal(c.log, LOG_INFO);
    assert_int_equal(c.accept, ACCEPT_ASK);
    assert_int_equal(c.accept_max_bytes, 0);
    assert_int_equal(c.cc, CC_BBR);
    assert_false(c.udp_portable);
    assert_int_equal(c.relay.use_count, 0);
    assert_false(c.relay.serve);
    assert_true(c.relay.capacity_bps == 100000000);
    assert_int_equal(c.relay.flows_per_node, 64);
    assert_int_equal(c.relay.reservations_per_prefix, 256);
    assert_true(c.relay.rate_per_node_bps == 0 && c.relay.quota_day_bytes == 0);
    assert_int_equal(c.path, PATH_AUTO);
    uint8_t id[32], zero[32] = {0};
    config_network_id(&c, id);
    assert_memory_equal(id, zero, 32);
}

static const char full[] = "# comment\n"
                           "; another\n"
                           "[node]\n"
                           "listen = 127.0.0.1:4000, [::1]:4001\n"
                           "listen = 10.0.0.1:0   ; any port\n"
                           "network = tea at five\n"
                           "log=debug\n"
                           "\n"
                           "[files]\n"
                           "download_dir = ~/in here\n"
                           "accept = contacts\n"
                           "accept_max = 40G\n"
                           "[messages]\n"
                           "quota = 3M\n"
                           "quota_all = 7G\n"
                           "[transport]\r\n"
                           "congestion = reno\r\n"
                           "aead = ipsec-mb\n"
                           "udp = portable\n"
                           "[relay]\n"
                           "use = relay.example.org:7557#" ONE ", 192.0.2.1:443#" TWO "\n"
                           "use = [2001:db8::1]:7557#" THREE " ; at home\n"
                           "serve = yes\n"
                           "capacity = 2G\n"
                           "flows_per_node = 7\n"
                           "reservations_per_prefix = 65535\n"
                           "rate_per_node = 1500k\n"
                           "quota_per_day = 5G\n"
                           "allow = " ONE "," TWO "\n"
                           "block = " TWO "\n"
                           "block = " ONE "\n"
                           "[path]\n"
                           "policy = relay_only\n"
                           "[control]\n"
                           "socket = /run/x.sock";

static void every_key_is_read(void **s) {
    (void)s;
    struct config c;
    struct config_error e;
    assert_int_equal(parse(&c, full, &e), 0);
    assert_int_equal(c.listen_count, 3);
    assert_false(c.listen_default);
    assert_int_equal(c.listen[0].port, 4000);
    assert_int_equal(c.listen[1].kind, ADDR_IPV6);
    assert_int_equal(c.listen[2].port, 0);
    assert_string_equal(c.network, "tea at five");
    assert_int_equal(c.log, LOG_DEBUG);
    assert_string_equal(c.download_dir, "~/in here");
    assert_int_equal(c.accept, ACCEPT_CONTACTS);
    assert_true(c.accept_max_bytes == UINT64_C(40) << 30);
    assert_true(c.quota_bytes == UINT64_C(3) << 20);
    assert_true(c.quota_all_bytes == UINT64_C(7) << 30);
    assert_int_equal(c.cc, CC_RENO);
    assert_int_equal(c.aead, AEAD_IPSEC_MB);
    assert_true(c.udp_portable);
    assert_string_equal(c.socket, "/run/x.sock");
    assert_int_equal(c.relay.use_count, 3);
    assert_string_equal(c.relay.use[0].host, "relay.example.org");
    assert_int_equal(c.relay.use[0].id.bytes[31], 1);
    assert_int_equal(c.relay.use[1].at.kind, ADDR_IPV4);
    assert_int_equal(c.relay.use[2].at.kind, ADDR_IPV6);
    assert_true(c.relay.serve);
    assert_true(c.relay.capacity_bps == 2000000000);
    assert_int_equal(c.relay.flows_per_node, 7);
    assert_int_equal(c.relay.reservations_per_prefix, 65535);
    assert_true(c.relay.rate_per_node_bps == 1500000);
    assert_true(c.relay.quota_day_bytes == UINT64_C(5) << 30);
    assert_int_equal(c.relay.allow.count, 2);
    assert_int_equal(c.relay.allow.list[1].bytes[0], 2);
    assert_int_equal(c.relay.block.count, 2);
    assert_int_equal(c.path, PATH_RELAY_ONLY);
    config_clear(&c);
    assert_string_equal(c.network, "");
}

#define LONG "sixty-four-characters-and-no-equals-sign-as-one-may-forget-it--x"

static void errors_name_their_line(void **s) {
    (void)s;
    static const struct {
        const char *text;
        unsigned line;
        const char *says;
    } cases[] = {
        {"[nodes]\nlog = info\n", 1, "no section [nodes]; there are: node, files, messages,"},
        {"[fils]\n[node]\nlog = info\n", 1, "no section [fils]"},
        {"[node]\n[]\n", 2, "no section []"},
        {"[node]\n[Files]\n", 2, "no section [Files]"},
        {"[node\nlog = info\n", 1, "']'"},
        {"[node] log = info\n", 1, "'log = info' behind a section"},
        {"log = info\n", 1, "before any section; put it below [node]"},
        {"accept = ask\n", 1, "put it below [files]"},
        {"nothing = x\n", 1, "before any section"},
        {"[node]\naccept = ask\n", 2, "no 'accept', which belongs below [files]"},
        {"[node]\n\nlisten_on = 1.2.3.4:5\n", 3, "no 'listen_on'; it has: listen, network, log"},
        {"[node]\nLog = info\n", 2, "no 'Log'"},
        {"[node]\nlisten =\n", 2, "listen has no value"},
        {"[node]\nlisten = ,\n", 2, "listen has no value"},
        {"[node]\nlog\n", 2, "'log' is no line of the form: key = value"},
        {"[node]\nlog: info\n", 2, "key = value"},
        {"[node]\n= info\n", 2, "key = value"},
        {"[node]\n" LONG LONG "\n", 2, "'" LONG "' is no line"},
        {"[node]\nlog = info\n  log = warn\n", 3, "already"},
        {"[node]\nlog = yes\n", 2, "error, warn, info, debug"},
        {"[transport]\nudp = true\n", 2, "may be: auto, portable"},
        {"[node]\nlisten = 127.0.0.1:70000\n", 2, "not an address"},
        {"[node]\nlisten = 127.0.0.1:7000 [::1]:7000 127.0.0.1:7000\n", 2, "given twice"},
        {"[node]\nlog = info\n[files]\naccept = ask\n[node]\nlog = info\n", 6, "on line 2"},
        {"[files]\naccept_max = 1.5G\n", 2, "as 500M"},
        {"[files]\naccept_max = 500MB\n", 2, "as 500M"},
        {"[files]\naccept_max =\n", 2, "as 500M"},
        {"[node]\nlog = info\xff\n", 2, "byte 11 of the line is not UTF-8"},
        {"[node]\n# Gr\xfc\xdf"
         "e\n",
         2, "not UTF-8"},
        {"\xff\xfe[\n", 1, "UTF-16"},
        {"[node]\nlog = in\rfo\n", 2, "carriage return"},
        {"[node]\nlog = \x1b[31minfo\n", 2, "control character (U+001B)"},
        {"[node]\nlog = \xc2\x9b"
         "31minfo\n",
         2, "control character (U+009B)"},
        {"[node]\n\xef\xbb\xbflog = info\n", 2, "section [node] has no"},
        {"[files]\ndownload_dir =\n", 2, "the path is missing"},
        {"[files]\ndownload_dir = \"/srv/in box\"\n", 2, "without quotes"},
        {"[files]\ndownload_dir = '/srv/in'\n", 2, "without quotes"},
        {"[files]\ndownload_dir = ~bob/in\n", 2, "'~bob/in': only one's own home"},
        {"[files]\ndownload_dir = $HOME/in\n", 2, "variables are not replaced"},
        {"[files]\ndownload_dir = /home/${USER}/in\n", 2, "variables are not replaced"},
        {"[files]\ndownload_dir = in\n", 2, "the whole path"},
        {"[files]\ndownload_dir = ./in\n", 2, "the whole path"},
        {"[control]\nsocket = ../x.sock\n", 2, "socket is '../x.sock': write the whole path"},
        {"[node]\nlisten = 1.2.3.4\n", 2, "not an address"},
        {"[node]\nlisten = 1.2.3.4:1,nonsense\n", 2, "'nonsense'"},
        {"[node]\nlog = loud\n", 2, "error, warn, info, debug"},
        {"[node]\nlog =\n", 2, "may be"},
        {"[node]\nlog = info\nlog = warn\n", 3, "twice"},
        {"[node]\nrubbish\nlog = loud\n", 2, "key = value"},
        {"[node]\nlog = loud\nrubbish\n", 2, "may be"},
        {"[files]\naccept = everybody\n", 2, "ask, contacts"},
        {"[files]\naccept_max = 12X\n", 2, "number of bytes"},
        {"[files]\naccept_max = -1\n", 2, "number of bytes"},
        {"[files]\naccept_max = 20000000T\n", 2, "more than can be counted"},
        {"[files]\naccept_max = 18446744073709551616\n", 2, "more than can be counted"},
        {"[node]\nnetwork = correct horse ;battery staple\n", 2, "';' behind a blank"},
        {"[node]\nnetwork =\t;secret\n", 2, "';' behind a blank"},
        {"[files]\n\n  download_dir = ~/a\t; b\n", 3, "';' behind a blank"},
        {"[control]\nsocket = /run/x ;y\n", 2, "';' behind a blank"},
        {"[messages]\nquota = 65791\n", 2, "one message may take 65792 bytes"},
        {"[messages]\nquota = 1M\nquota_all = 1K\n", 3, "one message may take 65792 bytes"},
        {"[transport]\ncongestion = vegas\n", 2, "cubic, reno, bbr"},
        {"[relay]\nuse =\n", 2, "use has no value, and should be HOST:PORT#mesh1..."},
        {"[relay]\nuse = r.de:1#" ONE ",r.de\n", 2, "'r.de' is no relay: the relay's key is"},
        {"[relay]\nuse = r.de:1\n", 2, "expected HOST:PORT#mesh1..."},
        {"[relay]\nuse = r.de:1#mesh1\n", 2, "no node id"},
        {"[relay]\nuse = r.de:0#" ONE "\n", 2, "the port is no number from 1 to 65535"},
        {"[relay]\n\nuse = ::1:1#" ONE "\n", 3, "in brackets"},
        {"[relay]\nuse = 192.0.2:1#" ONE "\n", 2, "no IPv4 address"},
        {"[relay]\nuse = r.de:1#" ONE "\nuse = R.de:1#" ONE "\n", 3, "given twice"},
        {"[relay]\nuse = r.de:1#" ONE "\nuse = s.de:1#" ONE "\n", 3, "has the id of another one"},
        {"[relay]\nserve = true\n", 2, "serve is 'true', and may be: yes, no"},
        {"[relay]\ncapacity = 0\n", 2, "serve = no"},
        {"[relay]\ncapacity = 100 Mbit\n", 2, "bits per second, as 500k, 100M or 1G"},
        {"[relay]\nrate_per_node = fast\n", 2, "bits per second"},
        {"[relay]\nrate_per_node = 99999999T\n", 2, "more than can be counted"},
        {"[relay]\nflows_per_node = 0\n", 2, "a number from 1 to 65535"},
        {"[relay]\nflows_per_node = 65536\n", 2, "a number from 1 to 65535"},
        {"[relay]\nreservations_per_prefix = 1k\n", 2, "a number from 1 to 65535"},
        {"[relay]\nquota_per_day = much\n", 2, "a number of bytes"},
        {"[relay]\nallow = bob\n", 2, "allow: 'bob' is no node id"},
        {"[relay]\nblock =\n", 2, "block has no value"},
        {"[relay]\nallow = " ONE "\nallow = " ONE "\n", 3, "given twice"},
        {"[relay]\nserve = yes\nserve = no\n", 3, "serve is given twice"},
        {"[relay]\nusing = x\n", 2, "it has: use, serve, capacity, flows_per_node"},
        {"[path]\npolicy = relayed\n", 2, "auto, relay_only, direct_only"},
        {"[node]\npolicy = auto\n", 2, "which belongs below [path]"},
        {"[node]\nlisten = 1.1.1.1:1 1.1.1.1:2 1.1.1.1:3 1.1.1.1:4 1.1.1.1:5 1.1.1.1:6\n"
         "listen = 1.1.1.1:7 1.1.1.1:8 1.1.1.1:9\n",
         3, "more than 8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config c, before;
        struct config_error e;
        config_init(&before);
        assert_int_equal(parse(&c, cases[i].text, &e), ERR_FORMAT);
        if (e.line != cases[i].line || !strstr(e.text, cases[i].says))
            fail_msg("case %zu: line %u: %s", i, e.line, e.text);
        assert_memory_equal(&c, &before, sizeof c); /* nothing half-applied */
    }
}

static void a_semicolon_that_begins_no_comment_is_part_of_the_value(void **s) {
    (void)s;
    struct config c;
    struct config_error e;
    assert_int_equal(parse(&c, "; a ; b\n# c ; d\n[node] ; e\n ; f ; g\nnetwork = a;b #c\n", &e),
                     0);
    assert_string_equal(c.network, "a;b #c");
}

static void lines_are_read_as_every_editor_writes_them(void **s) {
    (void)s;
    static const char *const texts[] = {
        "[node]\nlog = debug\n",
        "[node]\r\nlog = debug\r\n",
        "[node]\nlog = debug",
        "[node]\nlog = debug\r",
        "\t[node]\n\tlog\t=\tdebug\t\n",
        "[ node ] ; x\nlog=debug",
        "\xef\xbb\xbf[node]\nlog = debug",
        "\n\n; \xc3\xbc\n[node] # x\nlog = debug ; y\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct config c;
        struct config_error e;
        if (parse(&c, texts[i], &e) != 0)
            fail_msg("case %zu: line %u: %s", i, e.line, e.text);
        assert_int_equal(c.log, LOG_DEBUG);
    }
}

static void paths_that_mean_the_same_everywhere_are_taken(void **s) {
    (void)s;
    static const char *const paths[] = {
        "/",       "/srv/in box", "~",    "~/",         "~/In",
        "/srv/~x", "/a$",         "/a$1", "/it's/here", "/gr\xc3\xbcn",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct config c;
        struct config_error e;
        char text[128];
        snprintf(text, sizeof text, "[files]\ndownload_dir = %s\n", paths[i]);
        if (parse(&c, text, &e) != 0)
            fail_msg("'%s': %s", paths[i], e.text);
        assert_string_equal(c.download_dir, paths[i]);
    }
}

static void what_is_too_long_is_refused_and_the_longest_is_not(void **s) {
    (void)s;
    struct config c;
    struct config_error e;
    char text[4 * INI_LINE_MAX];
    for (size_t over = 0; over < 3 * INI_LINE_MAX - 64; over += over < 4 ? 1 : 100) {
        int n = snprintf(text, sizeof text, "[node]\n# ");
        memset(text + n, 'x', INI_LINE_MAX - 2 + over);
        snprintf(text + n + INI_LINE_MAX - 2 + over, 32, "%s\nlog = debug\n", over ? "" : "\r");
        assert_int_equal(parse(&c, text, &e), over ? ERR_FORMAT : 0);
        if (over) {
            assert_int_equal(e.line, 2);
            assert_non_null(strstr(e.text, "too long"));
            assert_non_null(strstr(e.text, "at most 1024"));
        } else {
            assert_int_equal(c.log, LOG_DEBUG);
        }
    }
    int n = snprintf(text, sizeof text, "[node]\nnetwork = ");
    memset(text + n, 'x', CONFIG_NETWORK_MAX);
    text[n + CONFIG_NETWORK_MAX] = '\0';
    assert_int_equal(parse(&c, text, &e), ERR_FORMAT);
    assert_int_equal(e.line, 2);
    assert_non_null(strstr(e.text, "at most 255"));
    text[n + CONFIG_NETWORK_MAX - 1] = '\0';
    assert_int_equal(parse(&c, text, &e), 0);
    static char large[CONFIG_TEXT_MAX + 1];
    memset(large, '\n', sizeof large);
    config_init(&c);
    assert_int_equal(config_parse(&c, large, sizeof large, &e), ERR_FORMAT);
    assert_non_null(strstr(e.text, "too large"));
    assert_int_equal(config_parse(&c, large, sizeof large - 1, &e), 0);
}

static void a_zero_byte_is_refused(void **s) {
    (void)s;
    struct config c;
    struct config_error e;
    static const char zero[] = "[node]\nlog = info\0\n";
    config_init(&c);
    assert_int_equal(config_parse(&c, zero, sizeof zero - 1, &e), ERR_FORMAT);
    assert_int_equal(e.line, 2);
    assert_non_null(strstr(e.text, "zero byte"));
}

/* Whatever is in a file: no byte of it is touched outside its length, and an error has its line. */
static void rubbish_is_an_error_with_a_line(void **s) {
    (void)s;
    uint32_t seed = 1;
    for (unsigned i = 0; i < 20000; i++) {
        static const char alphabet[] = "[]=;# \t\r\nnodelg/~$'\"\xff\xc3\xbc\0";
        char text[48];
        struct config c;
        struct config_error e;
        unsigned newlines = 0;
        size_t len = i % sizeof text;
        for (size_t b = 0; b < len; b++) {
            seed = seed * 1664525 + 1013904223;
            text[b] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
            newlines += text[b] == '\n';
        }
        config_init(&c);
        if (config_parse(&c, text, len, &e) != 0) {
            assert_in_range(e.line, 1, newlines + 1);
            assert_true(utf8_valid(e.text, strlen(e.text)));
        }
    }
}

static void what_is_written_reads_the_same(void **s) {
    (void)s;
    struct config a, b;
    struct config_error e;
    char one[CONFIG_OUT_MAX], two[CONFIG_OUT_MAX];
    const char *texts[] = {"",
                           full,
                           "[files]\naccept_max = 1500\n",
                           "[files]\naccept_max=3k\n",
                           "[relay]\ncapacity = 12345\nuse = 192.0.2.1:1#" ONE "\n",
                           "[path]\npolicy = direct_only\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(parse(&a, texts[i], &e), 0);
        config_write(&a, one);
        assert_int_equal(parse(&b, one, &e), 0);
        config_write(&b, two);
        if (!a.network[0])
            assert_string_equal(one, two);
        assert_true(a.accept_max_bytes == b.accept_max_bytes);
        assert_true(a.quota_bytes == b.quota_bytes && a.quota_all_bytes == b.quota_all_bytes);
        assert_memory_equal(&a.relay, &b.relay, sizeof a.relay);
        assert_int_equal(a.path, b.path);
    }
}

/* Eight relays with the longest names, and two full lists. */
static void the_longest_settings_are_written_and_read(void **s) {
    (void)s;
    static char text[CONFIG_TEXT_MAX], out[CONFIG_OUT_MAX];
    struct config a, b;
    struct config_error e;
    size_t n = (size_t)snprintf(text, sizeof text, "[relay]\n");
    char label[62], id_text[NODE_ID_TEXT_CHARS + 1];
    memset(label, 'x', sizeof label);
    for (unsigned i = 0; i < RELAYS_USE_MAX; i++) {
        node_id_text(&(struct node_id){{(uint8_t)i, 1}}, id_text);
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "use = %.61s.a%.61s.b%.61s.c%.61s.dd:6000%u#%s\n", label, label,
                              label, label, i, id_text);
    }
    for (unsigned i = 0; i < 2 * RELAY_IDS_MAX; i++) {
        node_id_text(&(struct node_id){{(uint8_t)i}}, id_text);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s = %s\n",
                              i < RELAY_IDS_MAX ? "allow" : "block", id_text);
    }
    if (parse(&a, text, &e) != 0)
        fail_msg("%u: %s", e.line, e.text);
    assert_int_equal(strlen(a.relay.use[0].host), RELAY_HOST_MAX);
    config_write(&a, out);
    assert_int_equal(parse(&b, out, &e), 0);
    assert_memory_equal(&a.relay, &b.relay, sizeof a.relay);
    snprintf(text + n, sizeof text - n, "allow = " ONE "\n");
    assert_int_equal(parse(&b, text, &e), ERR_FORMAT);
    assert_non_null(strstr(e.text, "more than 64 node ids"));
    snprintf(text + n, sizeof text - n, "use = r.de:1#" ONE "\n");
    assert_int_equal(parse(&b, text, &e), ERR_FORMAT);
    assert_non_null(strstr(e.text, "more than 8 relays"));
}

static void the_network_secret_is_not_shown(void **s) {
    (void)s;
    struct config c;
    struct config_error e;
    char out[CONFIG_OUT_MAX];
    assert_int_equal(parse(&c, full, &e), 0);
    config_write(&c, out);
    assert_null(strstr(out, "tea at five"));
    assert_non_null(strstr(out, "network is set"));
}

static void networks_have_different_ids(void **s) {
    (void)s;
    struct config c;
    struct config_error e;
    uint8_t a[32], b[32], zero[32] = {0};
    assert_int_equal(parse(&c, "[node]\nnetwork = a\n", &e), 0);
    config_network_id(&c, a);
    assert_int_equal(parse(&c, "[node]\nnetwork = b\n", &e), 0);
    config_network_id(&c, b);
    assert_memory_not_equal(a, b, 32);
    assert_memory_not_equal(a, zero, 32);
}

static void the_command_line_takes_the_place_of_the_default(void **s) {
    (void)s;
    struct config c;
    config_init(&c);
    assert_int_equal(config_listen(&c, "nonsense"), ERR_FORMAT);
    assert_true(c.listen_default);
    for (int i = 0; i < CONFIG_LISTEN_MAX; i++)
        assert_int_equal(config_listen(&c, "127.0.0.1:0"), 0);
    assert_int_equal(c.listen_count, CONFIG_LISTEN_MAX);
    assert_false(c.listen_default);
    assert_int_equal(config_listen(&c, "127.0.0.1:0"), ERR_FULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(errors_name_their_line),
        cmocka_unit_test(a_semicolon_that_begins_no_comment_is_part_of_the_value),
        cmocka_unit_test(lines_are_read_as_every_editor_writes_them),
        cmocka_unit_test(paths_that_mean_the_same_everywhere_are_taken),
        cmocka_unit_test(what_is_too_long_is_refused_and_the_longest_is_not),
        cmocka_unit_test(a_zero_byte_is_refused),
        cmocka_unit_test(rubbish_is_an_error_with_a_line),
        cmocka_unit_test(what_is_written_reads_the_same),
        cmocka_unit_test(the_longest_settings_are_written_and_read),
        cmocka_unit_test(the_network_secret_is_not_shown),
        cmocka_unit_test(networks_have_different_ids),
        cmocka_unit_test(the_command_line_takes_the_place_of_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
