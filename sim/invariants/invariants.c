#include "sim/invariants/invariants.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBCRYPTO
#include <openssl/evp.h>
#endif

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"
#include "sim/invariants/relay_watch.h"
#include "sim/invariants/watch_set.h"
#include "sim/memory/grow.h"

static const uint64_t ns_per_s = 1000000000;

struct watched {
    const char *name;
    bool has_seq;
    bool checked, bad_cert; /* in its present life: its certificate could be judged; and is bad */
    uint64_t seq;
    uint32_t life;
    struct addr own[8]; /* those that are private */
    unsigned own_count;
    uint64_t second, turns, datagrams; /* of the current second */
    uint64_t resumed_ns;
};

struct watch {
    struct watched *hosts;
    uint32_t host_count, host_cap;
    struct watch_map sealed, opened; /* by key: counters */
    struct watch_map from;           /* (host and life, real sender, -): a = packets accepted */
    /* (host, address): a = bytes in, b = bytes out, c = when the next dial is due; set.floor: what
     * is known of it */
    struct watch_map traffic;
    struct watch_map contacts; /* (host, host, -) */
    struct relay_watch relays;
    struct policy_watch policies;
    struct watch_verdict verdicts[INVARIANTS];
};

/* Chosen: dialled before anything had come from there. */
enum { KNOWN_DIALLED = 1, KNOWN_PROVEN = 2, KNOWN_CHOSEN = 4 };

const char *invariant_name(enum invariant i) {
    static const char *const names[INVARIANTS] = {"unsigned_accept",
                                                  "wrong_peer",
                                                  "nonce_reuse",
                                                  "replayed",
                                                  "amplification",
                                                  "private_address",
                                                  "seq_backwards",
                                                  "livelock",
                                                  "table_caps",
                                                  "memory",
                                                  "leak",
                                                  "wrong_bytes",
                                                  "misdelivered",
                                                  "partial_file",
                                                  "confirmed_lost",
                                                  "used_ticket",
                                                  "forbidden_address",
                                                  "crossed_flows",
                                                  "relay_amplification",
                                                  "relay_delay"};
    return names[i];
}

bool invariant_find(const char *name, enum invariant *out) {
    for (unsigned i = 0; i < INVARIANTS; i++)
        if (strcmp(invariant_name((enum invariant)i), name) == 0) {
            *out = (enum invariant)i;
            return true;
        }
    return false;
}

struct watch *watch_new(void) {
    struct watch *w = mem_calloc(1, sizeof *w);
    if (!w)
        abort();
    return w;
}

void watch_free(struct watch *w) {
    if (!w)
        return;
    watch_map_clear(&w->sealed);
    watch_map_clear(&w->opened);
    watch_map_clear(&w->from);
    watch_map_clear(&w->traffic);
    watch_map_clear(&w->contacts);
    relay_watch_clear(&w->relays);
    policy_watch_clear(&w->policies);
    mem_free(w->hosts);
    mem_free(w);
}

const struct watch_verdict *watch_verdict(const struct watch *w, enum invariant i) {
    return &w->verdicts[i];
}

void watch_judged(struct watch *w, enum invariant i) {
    w->verdicts[i].judged++;
}

void watch_broken(struct watch *w, enum invariant i, uint64_t now_ns, const char *format, ...) {
    struct watch_verdict *v = &w->verdicts[i];
    if (v->count++ > 0)
        return;
    va_list args;
    va_start(args, format);
    v->first_ns = now_ns;
    (void)vsnprintf(v->text, sizeof v->text, format, args);
    va_end(args);
}

static struct watched *host_of(struct watch *w, uint32_t host) {
    if (host >= w->host_count) {
        grow(&w->hosts, &w->host_cap, host + 1, sizeof *w->hosts);
        memset(w->hosts + w->host_count, 0, (host + 1 - w->host_count) * sizeof *w->hosts);
        for (uint32_t i = w->host_count; i <= host; i++)
            w->hosts[i].name = "?";
        w->host_count = host + 1;
    }
    return &w->hosts[host];
}

void watch_host(struct watch *w, uint32_t host, const char *name) {
    host_of(w, host)->name = name;
}

void watch_contact(struct watch *w, uint32_t a, uint32_t b) {
    (void)watch_map_at(&w->contacts, a, b, 0);
    (void)watch_map_at(&w->contacts, b, a, 0);
}

void watch_addresses(struct watch *w, uint32_t host, const struct addr *addrs, unsigned count) {
    struct watched *h = host_of(w, host);
    h->own_count = 0;
    for (unsigned i = 0; i < count; i++)
        if (addr_is_private(&addrs[i]) && h->own_count < sizeof h->own / sizeof *h->own)
            h->own[h->own_count++] = addrs[i];
    policy_watch_addresses(&w->policies, host, addrs, count);
}

void watch_policy(struct watch *w, uint32_t host, enum watch_policy policy, bool relay) {
    policy_watch_host(&w->policies, host, policy, relay);
}

void watch_resumed(struct watch *w, uint64_t now_ns, uint32_t host) {
    host_of(w, host)->resumed_ns = now_ns;
}

/* ---- signatures ---- */

/* docs/PROTOCOL.md §1: Ed25519 over "meshd transport key v1" | seq, little-endian | transport
 * key. */
static bool signature_ok(const struct watch_cert *c) {
#ifdef HAVE_LIBCRYPTO
    static const char label[] = "meshd transport key v1";
    uint8_t msg[sizeof label - 1 + 8 + 32];
    memcpy(msg, label, sizeof label - 1);
    for (unsigned i = 0; i < 8; i++)
        msg[sizeof label - 1 + i] = (uint8_t)(c->seq >> 8 * i);
    memcpy(msg + sizeof label - 1 + 8, c->transport, 32);
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, c->id, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const bool ok = key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
                    EVP_DigestVerify(ctx, c->signature, 64, msg, sizeof msg) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok;
#else
    (void)c;
    return true;
#endif
}

/* Signatures that are none, or that nobody here can verify, are not judged. */
static bool can_check(const struct watch_cert *c) {
#ifdef HAVE_LIBCRYPTO
    return c->checkable;
#else
    (void)c;
    return false;
#endif
}

void watch_started(struct watch *w, uint64_t now_ns, uint32_t host, const struct watch_cert *c) {
    struct watched *h = host_of(w, host);
    h->life++;
    h->checked = can_check(c);
    h->bad_cert = h->checked && !signature_ok(c);
    if (c->forged)
        return;
    if (h->checked)
        watch_judged(w, NEVER_UNSIGNED_ACCEPT);
    if (h->has_seq)
        watch_judged(w, NEVER_SEQ_BACKWARDS);
    if (h->bad_cert)
        watch_broken(w, NEVER_UNSIGNED_ACCEPT, now_ns, "%s shows a certificate its id did not sign",
                     h->name);
    if (h->has_seq && c->seq < h->seq)
        watch_broken(w, NEVER_SEQ_BACKWARDS, now_ns, "%s starts with certificate %llu after %llu",
                     h->name, (unsigned long long)c->seq, (unsigned long long)h->seq);
    h->has_seq = true;
    h->seq = c->seq;
}

void watch_accepted(struct watch *w, uint64_t now_ns, uint32_t host, uint32_t with) {
    const char *name = host_of(w, host)->name;
    const struct watched *h = host_of(w, with);
    if (h->checked)
        watch_judged(w, NEVER_UNSIGNED_ACCEPT);
    if (h->bad_cert)
        watch_broken(w, NEVER_UNSIGNED_ACCEPT, now_ns,
                     "%s accepted %s with a certificate its id did not sign", name, h->name);
}

/* ---- datagrams ---- */

/* docs/PROTOCOL.md §2: a relay's key is asked for before anything else is said to it. */
enum { KEY_ASK = 7 };
enum { CHECK_BYTES = 41 }; /* a PATH_CHALLENGE alone in a packet; a CONFIRM is shorter */

/* docs/PROTOCOL.md §2: 4 DATA: 4 | key epoch 1 | 0 0 | receiver index 4 | counter 8 | ... | tag
 * 16 */
static bool is_data(const struct watch_packet *p) {
    return p->len >= 32 && p->data[0] == 4;
}

static uint64_t life_key(const struct watched *h, uint32_t host) {
    return (uint64_t)host << 32 | h->life;
}

static struct watch_entry *traffic(struct watch *w, uint32_t host, const struct addr *a) {
    return watch_map_at(&w->traffic, (uint64_t)host << 24 | (uint64_t)a->port << 4 | a->kind,
                        load_le64(a->ip), load_le64(a->ip + 8));
}

static void count_datagram(struct watched *h, uint64_t now_ns) {
    if (now_ns / ns_per_s != h->second) {
        h->second = now_ns / ns_per_s;
        h->turns = h->datagrams = 0;
    }
    h->datagrams++;
}

/* An initiation that does not count: a node may dial whomever it chooses, and also, at the pace of
 * a handshake, an address that has sent something first. */
static bool is_dial(struct watch_entry *t, uint64_t now_ns, const struct watch_packet *p) {
    static const uint64_t step_ns = WATCH_DIAL_MS * UINT64_C(1000000);
    /* An answer has come, but it is not known from where: what goes out to learn that is less than
     * the dial. And whoever doubts a path asks the other addresses that it knows of the peer, from
     * which nothing need have come. */
    const bool check =
        is_data(p) && p->len <= CHECK_BYTES && ((t->set.floor & KNOWN_DIALLED) || t->a == 0);
    if (!check && (p->len == 0 || (p->data[0] != 1 && p->data[0] != KEY_ASK)))
        return false;
    if (!check)
        t->set.floor |= KNOWN_DIALLED | (t->a == 0 ? KNOWN_CHOSEN : 0);
    if (!check && (t->set.floor & KNOWN_CHOSEN))
        return true;
    const uint64_t due_ns = t->c > now_ns ? t->c : now_ns;
    if (due_ns - now_ns >= WATCH_DIAL_BURST * step_ns)
        return false;
    t->c = due_ns + step_ns;
    return true;
}

/* An address is proven once something came from it that only its holder could have sent: a DATA
 * packet that opened, or the answer to an initiation sent there. */
static void account_out(struct watch *w, uint64_t now_ns, const struct watch_packet *p) {
    struct watch_entry *t = traffic(w, p->at, p->dst);
    if (is_dial(t, now_ns, p))
        return;
    t->b += p->len;
    if (!(t->set.floor & KNOWN_PROVEN))
        watch_judged(w, NEVER_AMPLIFICATION);
    if (!(t->set.floor & KNOWN_PROVEN) && t->b > WATCH_AMPLIFICATION * t->a)
        watch_broken(w, NEVER_AMPLIFICATION, now_ns,
                     "%s sent %llu bytes to an unproven address that had sent %llu",
                     host_of(w, p->at)->name, (unsigned long long)t->b, (unsigned long long)t->a);
}

/* ---- relays and policies ---- */

static struct relay_packet seen_by(struct watch *w, uint64_t now_ns, const struct watch_packet *p) {
    return (struct relay_packet){.now_ns = now_ns,
                                 .relay = life_key(host_of(w, p->at), p->at),
                                 .from = p->from,
                                 .liar = p->liar,
                                 .data = p->data,
                                 .len = p->len};
}

static void judge_relay(struct watch *w, uint64_t now_ns, const struct watch_packet *p) {
    static const uint64_t longest_ns =
        (RELAY_WATCH_QUEUE_MS + RELAY_WATCH_TURN_MS) * UINT64_C(1000000);
    const struct relay_packet seen = seen_by(w, now_ns, p);
    const struct relay_judgement j = relay_watch_sent(&w->relays, &seen);
    const struct watched *h = host_of(w, p->at);
    const struct watch_entry *t = traffic(w, p->at, p->dst);
    if (!j.judged)
        return;
    watch_judged(w, NEVER_CROSSED_FLOWS);
    watch_judged(w, NEVER_RELAY_AMPLIFICATION);
    watch_judged(w, NEVER_RELAY_DELAY);
    if (j.crossed)
        watch_broken(w, NEVER_CROSSED_FLOWS, now_ns, "%s forwards %s", h->name, j.crossed);
    if (j.grown)
        watch_broken(w, NEVER_RELAY_AMPLIFICATION, now_ns, "%s forwards packets %s", h->name,
                     j.grown);
    if (t->a == 0)
        watch_broken(w, NEVER_RELAY_AMPLIFICATION, now_ns,
                     "%s forwards to a place that has sent it nothing", h->name);
    if (j.waited_ns > longest_ns && now_ns - j.waited_ns > h->resumed_ns)
        watch_broken(w, NEVER_RELAY_DELAY, now_ns, "%s has kept a packet for %.1f ms", h->name,
                     (double)j.waited_ns / 1e6);
}

static void judge_policy(struct watch *w, uint64_t now_ns, const struct watch_packet *p,
                         bool leaves) {
    const struct policy_packet at = {p->from, p->at, p->dst, p->data, p->len};
    bool judged = false;
    const char *wrong = leaves ? policy_watch_sent(&w->policies, &at, &judged)
                               : policy_watch_received(&w->policies, &at, &judged);
    if (judged)
        watch_judged(w, NEVER_FORBIDDEN_ADDRESS);
    if (wrong && leaves)
        watch_broken(w, NEVER_FORBIDDEN_ADDRESS, now_ns, "%s %s", host_of(w, p->at)->name, wrong);
    else if (wrong)
        watch_broken(w, NEVER_FORBIDDEN_ADDRESS, now_ns, "%s %s %s", host_of(w, p->at)->name, wrong,
                     w->hosts[p->from].name);
}

void watch_sent(struct watch *w, uint64_t now_ns, const struct watch_packet *p) {
    struct watched *h = host_of(w, p->at);
    count_datagram(h, now_ns);
    account_out(w, now_ns, p);
    judge_relay(w, now_ns, p);
    judge_policy(w, now_ns, p, true);
}

static struct watch_entry *of_key(struct watch_map *m, const uint8_t *key) {
    uint64_t k[3];
    memcpy(k, key, sizeof k);
    return watch_map_at(m, k[0], k[1], k[2]);
}

void watch_sealed(struct watch *w, uint64_t now_ns, uint32_t host, const uint8_t *key,
                  uint64_t counter) {
    watch_judged(w, NEVER_NONCE_REUSE);
    if (!watch_set_add(&of_key(&w->sealed, key)->set, counter, WATCH_GAPS))
        watch_broken(w, NEVER_NONCE_REUSE, now_ns,
                     "%s sealed two packets with counter %llu under one key",
                     host_of(w, host)->name, (unsigned long long)counter);
}

void watch_opened(struct watch *w, uint64_t now_ns, uint32_t host, const uint8_t *key,
                  uint64_t counter) {
    watch_judged(w, NEVER_REPLAYED);
    if (!watch_set_add(&of_key(&w->opened, key)->set, counter, WATCH_GAPS))
        watch_broken(w, NEVER_REPLAYED, now_ns,
                     "%s took the packet with counter %llu of one key twice",
                     host_of(w, host)->name, (unsigned long long)counter);
}

static bool contains(const struct watch_packet *p, const struct addr *a) {
    uint8_t wire[ADDR_WIRE_MAX];
    const size_t n = addr_write(a, wire);
    return n > 1 && memmem(p->data, p->len, wire + 1, n - 1) != NULL;
}

static void look_for_addresses(struct watch *w, uint64_t now_ns, const struct watch_packet *p) {
    const struct watched *sender = host_of(w, p->from);
    if (sender->own_count == 0 || watch_map_find(&w->contacts, p->from, p->at, 0))
        return;
    watch_judged(w, NEVER_PRIVATE_ADDRESS);
    for (unsigned i = 0; i < sender->own_count; i++)
        if (contains(p, &sender->own[i]))
            watch_broken(w, NEVER_PRIVATE_ADDRESS, now_ns,
                         "a datagram of %s shows %s its private address", sender->name,
                         w->hosts[p->at].name);
}

void watch_received(struct watch *w, uint64_t now_ns, const struct watch_packet *p, bool accepted) {
    (void)host_of(w, p->from);
    struct watched *h = host_of(w, p->at);
    look_for_addresses(w, now_ns, p);
    if (!p->liar)
        judge_policy(w, now_ns, p, false);
    const struct relay_packet seen = seen_by(w, now_ns, p);
    relay_watch_received(&w->relays, &seen);
    h = host_of(w, p->at);
    count_datagram(h, now_ns);
    struct watch_entry *t = traffic(w, p->at, p->src);
    t->a += p->len;
    if (accepted || (p->len > 0 && p->data[0] == 2 && (t->set.floor & KNOWN_DIALLED)))
        t->set.floor |= KNOWN_PROVEN;
    const uint32_t maker = relay_watch_maker(&w->relays, &seen);
    if (accepted && (is_data(p) || maker != p->from))
        watch_map_at(&w->from, life_key(h, p->at), maker, 0)->a++;
}

void watch_session(struct watch *w, uint64_t now_ns, uint32_t host, uint32_t with,
                   uint64_t packets) {
    struct watched *h = host_of(w, host);
    const struct watch_entry *e = watch_map_find(&w->from, life_key(h, host), with, 0);
    const uint64_t real = e ? e->a : 0;
    if (packets > 0)
        watch_judged(w, NEVER_WRONG_PEER);
    if (packets > real)
        watch_broken(w, NEVER_WRONG_PEER, now_ns,
                     "%s took %llu packets as from %s, which sent %llu", h->name,
                     (unsigned long long)packets, host_of(w, with)->name, (unsigned long long)real);
}

void watch_turn(struct watch *w, uint64_t now_ns, uint32_t host) {
    struct watched *h = host_of(w, host);
    if (now_ns / ns_per_s != h->second) {
        h->second = now_ns / ns_per_s;
        h->turns = h->datagrams = 0;
    }
    watch_judged(w, NEVER_LIVELOCK);
    if (++h->turns > WATCH_TURNS_PER_S + 100 * h->datagrams)
        watch_broken(w, NEVER_LIVELOCK, now_ns, "%s took more than %llu turns in a second", h->name,
                     (unsigned long long)h->turns);
}
