/* endpoint_in.c: datagrams in: which session or handshake one is for, and who answers what is in
 * it. */
#include <string.h>

#include "net/handshake_int.h"
#include "net/wire/frame.h"

struct incoming { /* a packet that has been opened */
    uint64_t now_us, pn;
    const struct hop *from;
    uint8_t ecn;
    unsigned answers; /* CONFIRMED and ECHOED sent for it */
    /* The same for where it came from, if that is not the path or not known to be the peer's. */
    bool elsewhere;
    uint8_t reply[64];
    size_t reply_len;
    bool moves;      /* more than a probe of the path (RFC 9000 §9.1) */
    bool challenged; /* it holds this PATH_CHALLENGE */
    uint8_t challenge[PATH_CHALLENGE_BYTES];
};

/* Whoever asks from another place may be there by now; or somebody has copied its packet, and it is
 * where it was. */
static void reply_with(struct endpoint *e, struct session *s, struct incoming *in,
                       const uint8_t *frame, size_t len) {
    if (!paths_doubtful(&s->paths))
        endpoint_send_frames(e, s, in->now_us, frame, len);
    if (!in->elsewhere || in->reply_len + len > sizeof in->reply)
        return;
    memcpy(in->reply + in->reply_len, frame, len);
    in->reply_len += len;
}

/* 7 is said of a session that has just begun: its ticket was another's by then, or its key is old.
 */
static int close_reason(const struct session *s, uint64_t number) {
    const int err = number ? err_from_wire(number) : ERR_CLOSED;
    if (err != ERR_AUTH)
        return err;
    return s->peer->setup.pairing ? ERR_TICKET : ERR_UNKNOWN;
}

/* By the second (GCRA): what is beyond is no record of anybody's. */
static bool may_have_record(struct session *s, uint64_t now_us) {
    const uint64_t from_us = s->records_us > now_us ? s->records_us : now_us;
    if (from_us - now_us > (RECORDS_BURST - 1) * RECORD_US)
        return false;
    s->records_us = from_us + RECORD_US;
    return true;
}

/* It has said what a guest may not. */
static void guest_out(struct endpoint *e, struct session *s, uint64_t now_us) {
    e->counters.guests_ended++;
    endpoint_hang_up(e, s, now_us, ERR_PROTO);
}

static bool record_frame(struct endpoint *e, struct session *s, uint64_t now_us, struct rd *r) {
    struct ep_event ev = {
        .kind = EP_RECORD, .peer = peer_ref_of(s->peer), .session = session_ref_of(s)};
    if (!frame_read_record(r, &ev.data, &ev.len))
        return false;
    const bool of_relays = ev.len > 0 && ev.data[0] == RECORD_KIND_RELAY;
    if (s->peer->guest && !of_relays)
        guest_out(e, s, now_us);
    else if (of_relays && may_have_record(s, now_us))
        endpoint_relay_record(e, s, now_us, ev.data, ev.len);
    else if (!of_relays && may_have_record(s, now_us) &&
             events_push_data(&e->events, &s->memo.told, &ev))
        e->counters.records_in++;
    else
        e->counters.records_dropped++;
    return true;
}

/* One frame of the session's own, which may be its last. False: malformed. */
static bool session_frame(struct endpoint *e, struct session *s, struct incoming *in, uint8_t type,
                          struct rd *r) {
    const uint64_t now_us = in->now_us;
    uint8_t reply[9];
    if (type >= FRAME_LATER_SESSION)
        return frame_skip(r);
    switch (type) {
    case FRAME_RECORD:
        return record_frame(e, s, now_us, r);
    case FRAME_PATH_REPORT: {
        struct path_report report;
        if (frame_read_path_report(r, &report))
            endpoint_standby_reported(e, s, now_us, in->from, &report);
        return r->ok;
    }
    case FRAME_CONFIRM:
        reply[0] = FRAME_CONFIRMED;
        if (in->answers++ < ANSWERS_PER_PACKET)
            reply_with(e, s, in, reply, 1);
        return true;
    case FRAME_CONFIRMED:
        return true;
    case FRAME_ECHO:
        reply[0] = FRAME_ECHOED;
        rd_bytes(r, reply + 1, 8);
        if (r->ok && in->answers++ < ANSWERS_PER_PACKET) {
            endpoint_renew_if_must(e, s, now_us); /* who asks sees to it in time */
            reply_with(e, s, in, reply, 9);
        }
        return r->ok;
    case FRAME_ECHOED: {
        struct ep_event ev = {.kind = EP_PONG,
                              .peer = peer_ref_of(s->peer),
                              .session = session_ref_of(s),
                              .addr = *hop_addr(session_hop(s)),
                              .hop = *session_hop(s)};
        ev.id = rd_u64(r);
        if (r->ok && ev.id != KEEPALIVE_ECHO && !events_push_of(&e->events, &s->memo.told, &ev))
            e->counters.queue_dropped++;
        return r->ok;
    }
    case FRAME_PATH_CHALLENGE: /* of several in a packet the last one counts */
        rd_bytes(r, in->challenge, sizeof in->challenge);
        in->challenged = r->ok;
        return r->ok;
    case FRAME_PATH_RESPONSE: {
        uint8_t data[PATH_CHALLENGE_BYTES];
        rd_bytes(r, data, sizeof data);
        if (r->ok)
            endpoint_path_answered(e, s, now_us, in->from, data);
        return r->ok;
    }
    case FRAME_CLOSE: {
        uint64_t err = rd_varint(r);
        if (r->ok)
            endpoint_session_closed(e, s, close_reason(s, err));
        return r->ok;
    }
    default:
        return false;
    }
}

static bool is_session_frame(uint8_t type) {
    return type == FRAME_CLOSE || (type >= FRAME_CONFIRM && type <= FRAME_PATH_RESPONSE) ||
           (type >= FRAME_RECORD && type < FRAME_LATER_TRANSPORT);
}

static void protocol_error(struct endpoint *e, struct session *s, uint64_t now_us) {
    e->counters.frames_bad++;
    endpoint_hang_up(e, s, now_us, ERR_PROTO);
}

/* False: the session is over, or the packet is as good as lost. */
static bool input_frames(struct endpoint *e, struct session *s, struct incoming *in,
                         const uint8_t *buf, size_t len) {
    const uint64_t now_us = in->now_us;
    struct rd r = rd_init(buf, len);
    bool transport = false, eliciting = false;
    while (rd_left(&r) > 0) {
        uint8_t type = rd_u8(&r);
        if (type == FRAME_PADDING)
            continue;
        in->moves |= type != FRAME_PATH_CHALLENGE && type != FRAME_PATH_RESPONSE &&
                     type != FRAME_PATH_REPORT;
        if (is_session_frame(type)) {
            if (!session_frame(e, s, in, type, &r))
                protocol_error(e, s, now_us);
            if (session_over(s))
                return false;
            continue;
        }
        if (s->peer->guest) {
            guest_out(e, s, now_us);
            return false;
        }
        /* An ACK alone must not bring a detached transport back: nothing waits for it. */
        if ((type == FRAME_ACK || type == FRAME_ACK_ECN) && !s->tp) {
            struct frame_ack ack;
            if (!frame_read_ack(&r, type, &ack) || ack.largest >= s->send_counter) {
                protocol_error(e, s, now_us);
                return false;
            }
            continue;
        }
        struct transport *tp = endpoint_attach(e, s, now_us);
        if (!tp)
            return false; /* no memory: as if it had been lost */
        tp->next_pn = s->send_counter;
        transport = true;
        int err = transport_frame(tp, now_us, type, &r, &eliciting);
        if (err == ERR_NOMEM || err == ERR_FULL) {
            e->counters.no_room++;
            endpoint_reclaim(e, s, now_us);
            return false;
        }
        if (err) {
            protocol_error(e, s, now_us);
            return false;
        }
    }
    if (transport && s->tp && transport_received(s->tp, now_us, in->pn, eliciting, in->ecn)) {
        /* Not noted, so not acknowledged: it will come again. */
    }
    return true;
}

/* Gossip keeps no session that nobody needs; nor does the proof of new keys, which it asks for now
 * and then. Where there is use, those keys are asked for by it, or soon after. */
static bool is_use(const struct session *s, uint64_t now_us, const uint8_t *frames, size_t len) {
    const bool proof = len == 1 && (*frames == FRAME_CONFIRM || *frames == FRAME_CONFIRMED);
    if (proof)
        return now_us < s->last_use_us + SESSION_USED_US;
    return !frames_are_records(frames, len);
}

static void input_data(struct endpoint *e, uint64_t now_us, const struct hop *from, uint8_t ecn,
                       uint8_t *buf, size_t len) {
    if (len < DATA_OVERHEAD_BYTES) {
        e->counters.malformed++;
        return;
    }
    struct session *s = session_table_by_index(&e->sessions, load_le32(buf + 4));
    if (!s || s->closed) {
        e->counters.unknown_index++;
        return;
    }
    if (!endpoint_may_come(e, s->peer, from))
        return;
    uint64_t pn;
    struct keygen *g;
    bool replayed;
    if (!session_open(s, e->aead, now_us, buf, len, &pn, &g, &replayed)) {
        if (replayed)
            e->counters.replay_dropped++;
        else
            e->counters.auth_fail++;
        return;
    }
    e->counters.data_accepted++;
    if (g == &s->keys.next) {
        handshake_confirmed(e, s, now_us);
        if (s->state == SESSION_ENDED)
            return;
    } else if (!s->keys.shown) {
        if (g == &s->keys.current)
            handshake_shown(s, now_us);
        else
            handshake_not_shown(e, s, now_us);
    }
    endpoint_session_heard(e, s, now_us);
    if (is_use(s, now_us, buf + DATA_HEADER_BYTES, len - DATA_OVERHEAD_BYTES))
        s->last_use_us = now_us;
    s->pkts_received++;
    s->bytes_received += len;
    bool sure = paths_sure(&s->paths, from);
    if (!sure && !hop_equal(session_hop(s), from) && hop_covers(session_hop(s), from)) {
        paths_settle(&s->paths, from);
        endpoint_hop_moved(e, s);
        sure = paths_sure(&s->paths, from);
    }
    endpoint_make_ready(e, s);
    struct incoming in = {.now_us = now_us, .pn = pn, .from = from, .ecn = ecn, .elsewhere = !sure};
    const bool newest = pn + 1 == s->replay.newest;
    if (!input_frames(e, s, &in, buf + DATA_HEADER_BYTES, len - DATA_OVERHEAD_BYTES))
        return;
    endpoint_standby_heard(e, s, now_us, from, len);
    /* Only the newest packet may move the path: an old one may have been delayed on the path left
     * behind. */
    endpoint_path_heard(e, s, now_us, from, len, newest && in.moves);
    if (in.reply_len > 0)
        endpoint_path_reply(e, s, now_us, from, in.reply, in.reply_len);
    if (in.challenged)
        endpoint_path_respond(e, s, now_us, from, in.challenge);
}

static void input_handshake(struct endpoint *e, uint64_t now_us, const struct hop *from,
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
    switch (buf[0]) {
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
    default:
        return;
    }
}

static void input_one(struct endpoint *e, uint64_t now_us, const struct hop *from, uint8_t ecn,
                      uint8_t *buf, size_t len);

/* The inner datagram is input by the flow's hop, in place. No deeper than forward_read lets it. */
static void input_forwarded(struct endpoint *e, uint64_t now_us, const struct hop *from,
                            uint8_t ecn, uint8_t *buf, size_t len) {
    struct hop as;
    const uint32_t flow = forward_read(buf, len);
    if (flow == 0) {
        e->counters.malformed++;
    } else if (!endpoint_relay_from(e, now_us, from, flow, &as)) {
        e->counters.relayed_refused++;
    } else {
        e->counters.relayed_in++;
        input_one(e, now_us, &as, ecn, buf + FORWARD_HEADER_BYTES, len - FORWARD_HEADER_BYTES);
    }
}

static void input_forward(struct endpoint *e, uint64_t now_us, const struct hop *from, uint8_t ecn,
                          uint8_t *buf, size_t len) {
    const struct train_in run = train_in_of_one(from, ecn, buf, len);
    endpoint_relay_forward(e, now_us, &run);
}

static void input_one(struct endpoint *e, uint64_t now_us, const struct hop *from, uint8_t ecn,
                      uint8_t *buf, size_t len) {
    switch (len < 8 ? 0 : buf[0]) {
    case PACKET_DATA:
        input_data(e, now_us, from, ecn, buf, len);
        return;
    case PACKET_INITIATION:
    case PACKET_RESPONSE:
    case PACKET_RETRY:
        input_handshake(e, now_us, from, buf, len);
        return;
    case PACKET_FORWARD: /* that has come inside another one */
        input_forward(e, now_us, from, ecn, buf, len);
        return;
    case PACKET_FORWARDED:
        input_forwarded(e, now_us, from, ecn, buf, len);
        return;
    case PACKET_KEY_ASK:
        endpoint_key_asked(e, now_us, from, buf, len);
        return;
    case PACKET_KEY_TOLD:
        endpoint_key_told(e, from, buf, len);
        return;
    default:
        e->counters.malformed++;
    }
}

static void input_datagram(struct endpoint *e, uint64_t now_us, const struct train_in *r,
                           size_t at) {
    const size_t len = train_in_bytes_at(r, at);
    e->counters.pkts_in++;
    e->counters.bytes_in += len;
    input_one(e, now_us, &r->from, r->ecn, r->buf + at, len);
    endpoint_reap(e);
}

/* The part of the run, from `at` on, that is all FORWARDs goes on as it is. Returns how many bytes
 * that were. */
static size_t input_forwards(struct endpoint *e, uint64_t now_us, const struct train_in *r,
                             size_t at) {
    struct train_in part = *r;
    size_t end = at;
    for (; end < r->len && r->buf[end] == PACKET_FORWARD; e->counters.pkts_in++)
        end += train_in_bytes_at(r, end);
    part.buf = r->buf + at;
    part.len = end - at;
    e->counters.bytes_in += part.len;
    endpoint_relay_forward(e, now_us, &part);
    return part.len;
}

void endpoint_input_train(struct endpoint *e, uint64_t now_us, const struct train_in *r) {
    size_t at = 0;
    e->told_us = now_us;
    do {
        if (at < r->len && r->buf[at] == PACKET_FORWARD) {
            at += input_forwards(e, now_us, r, at);
        } else {
            input_datagram(e, now_us, r, at);
            at += r->segment_bytes;
        }
    } while (at < r->len);
    if (e->relay_client)
        endpoint_relay_tell(e, now_us);
}

void endpoint_input(struct endpoint *e, uint64_t now_us, const struct hop *from, uint8_t ecn,
                    uint8_t *buf, size_t len) {
    const struct train_in r = train_in_of_one(from, ecn, buf, len);
    endpoint_input_train(e, now_us, &r);
}
