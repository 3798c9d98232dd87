/* endpoint_handshake.c: what both sides of a handshake do, and which of them a message is for. */
#include "net/endpoint_handshake.h"

#include <sodium.h>

/* A secret of a ticket that the peer may show is known to be its by now: only the one it has shown. */
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

/* From the first contact on, both sides have a secret of their own (DESIGN §4). It opens nothing
 * until the user has stored it where no power cut can take it, and gives it back with
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

/* An answer of ours that was made with a ticket's secret waits for its proof: the peer may have taken
 * the pairing secret out of it, so the ticket's is not forgotten meanwhile. */
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

/* The first round trip of a session, so that its transport need not guess. */
void handshake_sample_rtt(struct session *s, uint64_t now_us, uint64_t sent_us) {
    if (sent_us == 0 || s->memo.has_rtt)
        return;
    rtt_init(&s->memo.rtt);
    rtt_sample(&s->memo.rtt, now_us - sent_us, 0);
    s->memo.has_rtt = true;
}

void handshake_input(struct endpoint *e, uint64_t now_us, const struct hop *from,
                     const uint8_t *buf, size_t len) {
    static const size_t sizes[] = {
        [PACKET_INITIATION] = INITIATION_BYTES,
        [PACKET_RESPONSE] = RESPONSE_BYTES,
        [PACKET_RETRY] = RETRY_BYTES,
    };
    if (len != sizes[buf[0]] || buf[1] || buf[2] || buf[3]) {
        e->counters.malformed++;
        return;
    }
    switch ((enum packet_type)buf[0]) {
    case PACKET_INITIATION:
        if (!handshake_mac1_ok(&e->identity, buf)) {
            e->counters.mac_fail++;
            return;
        }
        handshake_input_initiation(e, now_us, from, buf);
        return;
    case PACKET_RESPONSE:
        handshake_input_response(e, now_us, from, buf);
        return;
    case PACKET_RETRY:
        handshake_input_retry(e, now_us, from, buf);
        return;
    case PACKET_DATA:
        return;
    }
}
