/* handshake_proof.c: what a handshake has proved, to the user and to the other side: a secret for
 * the two of them, a key, that the keys have come (CONFIRM). */
#include "net/handshake_int.h"

#include <sodium.h>

#include "net/wire/frame.h"

/* ---- what it proves to us ---- */

/* A secret of a ticket that the peer may show is known to be its by now: only the one it has shown.
 */
static void remember_ticket(struct peer_setup *s, bool stranger, const struct psk *ticket) {
    if (stranger)
        s->psk_count = 0;
    else if (s->pairing && s->psk_count > 0)
        s->psk_count--;
    if (s->psk_count == PEER_PSKS_MAX)
        s->psk_count--;
    s->psks[s->psk_count++] = *ticket;
    s->pairing = true;
}

/* From the first contact on, both sides have a secret of their own (docs/PROTOCOL.md §3). It opens
 * nothing until the user has stored it where no power cut can take it, and gives it back with
 * endpoint_peer_add: else one side could rely on what the other has lost. Until then, and until a
 * handshake with it has succeeded, the ticket's is good for this peer. */
void handshake_paired(struct endpoint *e, struct peer *p, const struct psk *pairing,
                      const struct psk *ticket) {
    struct ep_event ev = {.kind = EP_PAIRED,
                          .peer = peer_ref_of(p),
                          .node = p->setup.id,
                          .transport = p->setup.transport,
                          .cert_seq = p->setup.cert_seq,
                          .secret = *pairing,
                          .ticket = *ticket};
    remember_ticket(&p->setup, p->stranger, ticket);
    p->stranger = false;
    if (!events_push(&e->events, &ev))
        e->counters.queue_dropped++;
    sodium_memzero(&ev, sizeof ev);
}

void handshake_tell_key(struct endpoint *e, const struct peer *p) {
    struct ep_event ev = {.kind = EP_PEER_KEY,
                          .peer = peer_ref_of(p),
                          .node = p->setup.id,
                          .transport = p->setup.transport,
                          .cert_seq = p->setup.cert_seq};
    if (!events_push(&e->events, &ev))
        e->counters.queue_dropped++;
}

/* An answer of ours that was made with a ticket's secret waits for its proof: the peer may have
 * taken the pairing secret out of it, so the ticket's is not forgotten meanwhile. */
static bool answered_by_ticket(const struct session *s) {
    return s && s->hs_in && s->hs_in->by_ticket;
}

void handshake_proved(struct endpoint *e, struct peer *p, const struct psk *psk) {
    if (!p->setup.pairing || p->setup.psk_count < 2 || answered_by_ticket(p->answered) ||
        answered_by_ticket(p->session) || sodium_memcmp(&p->setup.psks[0], psk, sizeof *psk) != 0)
        return;
    endpoint_tell(e, EP_TICKET_DONE, p, NULL, 0);
    sodium_memzero(&p->setup.psks[1], sizeof p->setup.psks[1]);
    p->setup.psk_count = 1;
    p->setup.pairing = false;
}

/* ---- what we prove to the other side ---- */

/* Where the answer to our call seemed to come from nobody may be, but the peer has to hear that we
 * have it. */
static void confirm_everywhere(struct endpoint *e, struct session *s, uint64_t now_us,
                               const uint8_t *frame, size_t len) {
    struct hop to[PEER_HOPS_MAX];
    if (!paths_doubtful(&s->paths) || s->confirm_left >= CONFIRM_TRIES - 2)
        return;
    const unsigned n = peer_hops(s->peer, session_hop(s), to);
    for (unsigned i = 0; i < n; i++)
        if (!hop_same_place(&to[i], session_hop(s)))
            endpoint_send_frames_to(e, s, now_us, &to[i], frame, len);
}

void handshake_confirm(struct endpoint *e, struct session *s, uint64_t now_us) {
    uint8_t frames[10] = {FRAME_CONFIRM};
    size_t len = 1;
    s->confirm_left--;
    s->confirm_us = now_us + s->confirm_interval_us;
    s->confirm_interval_us += s->confirm_interval_us / 4;
    if (s->confirm_interval_us > CONFIRM_RETRY_MAX_US)
        s->confirm_interval_us = CONFIRM_RETRY_MAX_US;
    if (s->echo_count > 0) { /* it has waited for these keys: one packet less */
        frames[len] = FRAME_ECHO;
        store_le64(frames + len + 1, s->echoes[--s->echo_count]);
        len += 9;
        s->last_use_us = now_us;
        if (s->echoed_us == 0)
            s->echoed_us = now_us;
    }
    endpoint_send_frames(e, s, now_us, frames, len);
    confirm_everywhere(e, s, now_us, frames, 1);
}

void handshake_confirm_anew(struct endpoint *e, struct session *s, uint64_t now_us) {
    s->confirm_left = CONFIRM_TRIES;
    s->confirm_interval_us = CONFIRM_RETRY_US;
    handshake_confirm(e, s, now_us);
}

void handshake_shown(struct session *s, uint64_t now_us) {
    keys_show(&s->keys, now_us);
    s->confirm_left = 0;
}

void handshake_confirm_again(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (s->confirm_left == 0)
        handshake_confirm_anew(e, s, now_us);
    else
        s->confirm_us = now_us;
    endpoint_make_ready(e, s);
}

void handshake_not_shown(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (s->confirm_left == 0)
        handshake_confirm_anew(e, s, now_us);
}
