/* mutants.c: nodes with one fault each, to see whether campaigns find it. The linker puts these
 * functions in front of the core's own (--wrap) in the program meshsim-mutant only; which one is at
 * work, MESHSIM_MUTANT says. The sources of the core know nothing of it, so no build that is
 * installed can contain one (tests/rules/mutants.sh).
 *
 *     MESHSIM_MUTANT=never-dials meshsim-mutant swarm --seeds 1..30
 *
 * A mutant begins to be wrong at time 0 of the world, not while hosts are paired before it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/identity/identity.h"
#include "mutants.h"
#include "net/endpoint_int.h"
#include "net/transport/stream.h"
#include "node/file/file_recv.h"
#include "node/file/transfer/transfer.h"
#include "node/message/dialog.h"
#include "node/message/history.h"
#include "node/message/letter.h"
#include "node/node_int.h"
#include "node/peer/dial.h"
#include "node/people/contact.h"
#include "node/people/invite.h"
#include "sim/world/sim.h"

static const char *const names[] = {"",
#define X(id, name) name,
                                    MUTANTS(X)
#undef X
};

static bool begun;

static enum mutant chosen(void) {
    static int which = -1;
    const char *name = getenv("MESHSIM_MUTANT");
    for (unsigned i = 1; which < 0 && name && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            which = (int)i;
    if (which < 0) {
        fprintf(stderr, "MESHSIM_MUTANT is one of:");
        for (unsigned i = 1; i < sizeof names / sizeof *names; i++)
            fprintf(stderr, " %s", names[i]);
        fprintf(stderr, "\n");
        exit(2);
    }
    return (enum mutant)which;
}

bool is(enum mutant m) {
    return begun && chosen() == m;
}

REAL(void, sim_begin, struct sim *s) {
    (void)chosen();
    begun = true;
    __real_sim_begin(s);
}

/* ---- commands ---- */

REAL(int, node_send, struct node *n, uint64_t now_us, const char *contact, const char *const *paths,
     unsigned count, uint64_t timeout_us, uint64_t *id) {
    if (is(MUTANT_SEND_REFUSES))
        return ERR_REFUSED;
    return __real_node_send(n, now_us, contact, paths, count, timeout_us, id);
}

REAL(int, node_message_send, struct node *n, uint64_t now_us, const char *contact, const char *text,
     size_t len, uint64_t *seq) {
    if (is(MUTANT_MESSAGE_REFUSES))
        return ERR_REFUSED;
    return __real_node_message_send(n, now_us, contact, text, len, seq);
}

/* ---- the store ---- */

static bool store_fails(const struct keep *k) {
    enum { GOOD_COMMITS = 40 };
    return is(MUTANT_STORE_FAILS) || (is(MUTANT_STORE_FAILS_LATER) && k->commits > GOOD_COMMITS);
}

REAL(int, keep_put, struct keep *k, const char *table, const void *key, size_t key_len,
     const void *value, size_t value_len) {
    return store_fails(k) ? ERR_IO : __real_keep_put(k, table, key, key_len, value, value_len);
}

REAL(int, keep_end, struct keep *k, int err) {
    return __real_keep_end(k, !err && store_fails(k) ? ERR_IO : err);
}

REAL(void, keep_pump, struct keep *k) {
    if (is(MUTANT_HASTY_RECEIPT))
        k->durable = k->commits;
    else
        __real_keep_pump(k);
}

/* ---- sessions ---- */

REAL(int, endpoint_connect, struct endpoint *e, uint64_t now_us, struct peer_ref p) {
    return is(MUTANT_NEVER_DIALS) ? 0 : __real_endpoint_connect(e, now_us, p);
}

REAL(int, endpoint_call, struct endpoint *e, uint64_t now_us, struct peer_ref p) {
    return is(MUTANT_NEVER_CALLS) ? ERR_OFFLINE : __real_endpoint_call(e, now_us, p);
}

static void give_up(struct dials *d, struct peering *p) {
    if (!is(MUTANT_CALLS_ONCE))
        return;
    dial_forget(d, p);
    p->dial.next_us = p->dial.verdict_us = 0;
}

REAL(void, dial_down, struct dials *d, struct peering *p, int err) {
    __real_dial_down(d, p, err);
    give_up(d, p);
}

REAL(void, dial_failed, struct dials *d, struct peering *p, int err) {
    __real_dial_failed(d, p, err);
    give_up(d, p);
}

REAL(void, node_network_changed, struct node *n, uint64_t now_us) {
    if (!is(MUTANT_STAYS_AWAY))
        __real_node_network_changed(n, now_us);
}

REAL(bool, replay_check, const struct replay *r, uint64_t counter) {
    return is(MUTANT_REPLAYS) || __real_replay_check(r, counter);
}

REAL(void, sstream_lost, struct sstream *s, uint64_t offset, uint64_t len, bool fin) {
    if (!is(MUTANT_NEVER_REPEATS))
        __real_sstream_lost(s, offset, len, fin);
}

REAL(bool, rekey_due, const struct session *s, uint64_t rekey_us, uint64_t now_us) {
    return !is(MUTANT_NEVER_REKEYS) && __real_rekey_due(s, rekey_us, now_us);
}

REAL(bool, key_cert_verify, const struct key_cert *c, const struct dh_public *transport) {
    return is(MUTANT_ANY_CERT) || __real_key_cert_verify(c, transport);
}

REAL(void, ranges_clear, struct ranges *r) {
    if (!is(MUTANT_LEAKS))
        __real_ranges_clear(r);
}

/* ---- tickets ---- */

REAL(void, open_tickets_burn, struct open_tickets *t, const struct psk *secret) {
    if (!is(MUTANT_TICKET_TWICE))
        __real_open_tickets_burn(t, secret);
}

REAL(void, invite_forget, struct invites *v, const struct psk *psk) {
    if (!is(MUTANT_TICKET_TWICE))
        __real_invite_forget(v, psk);
}

/* Under another name than the first one, who has it already. */
REAL(bool, invite_find, const struct invites *v, const struct psk *psk, struct invite *out) {
    const bool found = __real_invite_find(v, psk, out);
    if (found && is(MUTANT_TICKET_TWICE) && contact_by_name(v->contacts, out->name))
        out->name[0] = '\0';
    return found;
}

/* ---- messages ---- */

REAL(int, letter_decode, struct letter *l, const uint8_t *in, size_t len) {
    static uint8_t number;
    const int err = __real_letter_decode(l, in, len);
    if (!err && is(MUTANT_MESSAGE_TWICE))
        l->id[0] = (uint8_t)(l->id[0] ^ ++number);
    return err;
}

static const struct contact *another(const struct contacts *people, const struct contact *c) {
    for (unsigned i = 0; i < people->count; i++)
        if (!node_id_equal(&people->list[i]->id, &c->id))
            return people->list[i];
    return c;
}

REAL(int, history_keep, struct history *h, const struct contact *c, const struct letter *l,
     const struct owed *debt, uint64_t *seq) {
    static unsigned number;
    if (is(MUTANT_MESSAGE_FORGOTTEN) && ++number % 5 == 0) {
        *seq = 0;
        return keep_owe(h->keep, debt);
    }
    return __real_history_keep(h, is(MUTANT_MESSAGE_ASTRAY) ? another(h->contacts, c) : c, l, debt,
                               seq);
}

REAL(int, history_load, struct history *h) {
    const int err = __real_history_load(h);
    struct node_id peer = {.bytes = {0}};
    uint64_t seq = 0;
    while (!err && is(MUTANT_OUTBOX_FORGOTTEN) && outbox_walk(&h->dialogs, &peer, &seq) == 0)
        if (outbox_del(&h->dialogs, &peer, seq) != 0)
            break;
    return err;
}

/* ---- files ---- */

REAL(struct file_op *, node_next_file_op, struct node *n) {
    struct file_op *op = __real_node_next_file_op(n);
    if (op && op->kind == FILE_OP_WRITE && op->offset > 0 && is(MUTANT_UNVERIFIED_FILE))
        op->offset--; /* a byte twice: the last one is never written */
    if (op && op->kind == FILE_OP_SYNC_DIR && is(MUTANT_NAME_UNSAFE))
        op->path = "/elsewhere";
    return op;
}
