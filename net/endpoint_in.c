#include <stdlib.h>
#include <string.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"

/* ---- in ---- */

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

/* Whoever asks from another place may be there by now; or somebody has copied its packet, and it is where it was. */
static void reply_with(struct endpoint *e, struct session *s, struct incoming *in,
                       const uint8_t *frame, size_t len) {
    if (!paths_doubtful(&s->paths))
        endpoint_send_frames(e, s, in->now_us, frame, len);
    if (!in->elsewhere || in->reply_len + len > sizeof in->reply)
        return;
    memcpy(in->reply + in->reply_len, frame, len);
    in->reply_len += len;
}

/* 7 is said of a session that has just begun: its ticket was another's by then, or its key is old. */
static int close_reason(const struct session *s, uint64_t number) {
    const int err = number ? err_from_wire(number) : ERR_CLOSED;
    if (err != ERR_AUTH)
        return err;
    return s->peer->setup.pairing ? ERR_TICKET : ERR_UNKNOWN;
}

/* One frame of the session's own, which may be its last. False: malformed. */
static bool session_frame(struct endpoint *e, struct session *s, struct incoming *in, uint8_t type,
                          struct rd *r) {
    const uint64_t now_us = in->now_us;
    uint8_t reply[9];
    if (type >= FRAME_LATER_SESSION)
        return frame_skip(r);
    switch (type) {
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
            endpoint_maybe_rekey(e, s, now_us);
            reply_with(e, s, in, reply, 9);
        }
        return r->ok;
    case FRAME_ECHOED: {
        struct ep_event ev = {.kind = EP_PONG,
                              .peer = peer_ref_of(s->peer),
                              .session = session_ref_of(s),
                              .addr = *hop_addr(session_hop(s))};
        ev.id = rd_u64(r);
        if (r->ok && !events_push_of(&e->events, &s->memo.told, &ev))
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
           (type >= FRAME_LATER_SESSION && type < FRAME_LATER_TRANSPORT);
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
        in->moves |= type != FRAME_PATH_CHALLENGE && type != FRAME_PATH_RESPONSE;
        if (is_session_frame(type)) {
            if (!session_frame(e, s, in, type, &r))
                protocol_error(e, s, now_us);
            if (session_over(s))
                return false;
            continue;
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
    s->last_recv_us = s->last_use_us = now_us;
    s->echoed_us = 0;
    s->pkts_received++;
    s->bytes_received += len;
    paths_settle(&s->paths, from);
    endpoint_make_ready(e, s);
    struct incoming in = {.now_us = now_us, .pn = pn, .from = from, .ecn = ecn};
    in.elsewhere = !paths_sure(&s->paths, from);
    const bool newest = pn + 1 == s->replay.newest;
    if (!input_frames(e, s, &in, buf + DATA_HEADER_BYTES, len - DATA_OVERHEAD_BYTES))
        return;
    /* Only the newest packet may move the path: an old one may have been delayed on the path left
     * behind. */
    endpoint_path_heard(e, s, now_us, from, len, newest && in.moves);
    if (in.reply_len > 0)
        endpoint_path_reply(e, s, now_us, from, in.reply, in.reply_len);
    if (in.challenged)
        endpoint_path_respond(e, s, now_us, from, in.challenge);
}

void endpoint_input(struct endpoint *e, uint64_t now_us, const struct hop *from, uint8_t ecn,
                    uint8_t *buf, size_t len) {
    e->counters.pkts_in++;
    e->counters.bytes_in += len;
    if (len < 8 || buf[0] < PACKET_INITIATION || buf[0] > PACKET_DATA) {
        e->counters.malformed++;
        return;
    }
    if (buf[0] == PACKET_DATA)
        input_data(e, now_us, from, ecn, buf, len);
    else
        handshake_input(e, now_us, from, buf, len);
    endpoint_reap(e);
}

/* ---- out ---- */

/* Packets of one size, sealed one after another into the train. */
static bool fill_train(struct endpoint *e, struct session *s, uint64_t now_us, size_t room,
                       struct train *t) {
    struct transport *tp = s->tp;
    struct transport_packet info = {0};
    bool was_quiet = tp->sent.outstanding == 0;
    t->len = 0;
    t->segment_bytes = 0;
    for (unsigned n = 0; n < TRAIN_MAX_SEGMENTS; n++) {
        size_t cap = room - t->len;
        if (n > 0 && cap > t->segment_bytes)
            cap = t->segment_bytes;
        if (cap <= DATA_OVERHEAD_BYTES || (n > 0 && cap < t->segment_bytes))
            break;
        uint8_t *at = t->buf + t->len;
        tp->next_pn = s->send_counter;
        size_t len = transport_build(tp, now_us, s->send_counter, at + DATA_HEADER_BYTES,
                                     cap - DATA_OVERHEAD_BYTES, DATA_OVERHEAD_BYTES, n == 0, &info);
        if (len == 0)
            break;
        size_t size = session_seal(s, e->aead, s->send_counter++, at, len);
        if (info.skip_after)
            s->send_counter++;
        s->pkts_sent++;
        s->bytes_sent += size;
        e->counters.pkts_out++;
        t->len += size;
        if (n == 0) {
            t->segment_bytes = (uint16_t)size;
            t->ecn = info.ecn;
        }
        if (size < t->segment_bytes || info.probe)
            break;
    }
    tp->next_pn = s->send_counter;
    if (t->len == 0)
        return false;
    if (was_quiet && tp->sent.outstanding > 0)
        s->busy_since_us = now_us;
    s->last_use_us = now_us;
    t->to = *session_hop(s);
    e->counters.bytes_out += t->len;
    if (!paths_spend(&s->paths, &t->to, t->len))
        e->counters.queue_dropped++; /* cannot be: there was room for it */
    return true;
}

static bool session_output(struct endpoint *e, struct session *s, uint64_t now_us,
                           struct train *t) {
    if (s->state != SESSION_UP || !s->tp)
        return false;
    if (transport_has_work(s->tp) || ack_wanted(&s->tp->ack, now_us))
        endpoint_maybe_rekey(e, s, now_us);
    if (!keys_may_send(&s->keys, now_us, s->send_counter))
        return false;
    const size_t room = paths_room(&s->paths);
    return room >= MTU_MIN_BYTES &&
           fill_train(e, s, now_us, room < TRAIN_MAX_BYTES ? room : TRAIN_MAX_BYTES, t);
}

static void settle(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (s->tp && transport_idle(s->tp, now_us))
        session_detach(s);
    session_table_unready(&e->sessions, s);
    endpoint_short_of_memory(s, now_us);
    if (session_table_due(&e->sessions, s, session_deadline_us(s, now_us)))
        endpoint_session_end(e, s, ERR_NOMEM); /* without a timer it would hang for ever */
}

static bool next_train(struct endpoint *e, uint64_t now_us, struct train *t) {
    const struct session *waiting = NULL; /* the first one passed over: its socket is full */
    if (endpoint_take_small(e, t))
        return true;
    struct session *s;
    while ((s = LIST_OWNER(e->sessions.ready.first, struct session, ready)) && s != waiting) {
        if (s->tp && train_is_unwanted(t, session_hop(s))) {
            waiting = waiting ? waiting : s;
            list_turn(&e->sessions.ready);
            continue;
        }
        if (session_output(e, s, now_us, t)) {
            list_turn(&e->sessions.ready); /* the others' turn */
            return true;
        }
        settle(e, s, now_us);
        if (endpoint_take_small(e, t)) /* a rekey may have begun */
            return true;
    }
    return false;
}

bool endpoint_output(struct endpoint *e, uint64_t now_us, struct train *t) {
    const bool some = next_train(e, now_us, t);
    endpoint_reap(e);
    return some;
}

/* ---- time ---- */

/* Nothing may leave until a handshake that is under way has given new keys: what the transport
 * wants to send does not count until then. */
static bool waits_for_keys(const struct session *s, uint64_t now_us) {
    return (s->hs_out || session_answering(s) || now_us < s->rekey_after_us) &&
           !keys_may_send(&s->keys, now_us, s->send_counter);
}

uint64_t session_deadline_us(const struct session *s, uint64_t now_us) {
    uint64_t d = TIME_NEVER;
    if (s->hs_out) {
        d = s->hs_out->next_us;
        if (s->hs_out->started_us + HANDSHAKE_ATTEMPT_US < d)
            d = s->hs_out->started_us + HANDSHAKE_ATTEMPT_US;
    }
    if (session_answering(s) && s->hs_in->expires_us < d)
        d = s->hs_in->expires_us;
    if (s->state != SESSION_UP)
        return d;
    if (s->confirm_left > 0 && s->confirm_us < d)
        d = s->confirm_us;
    if (paths_deadline_us(&s->paths) < d)
        d = paths_deadline_us(&s->paths);
    if (paths_doubtful(&s->paths) && s->up_us + SESSION_DEAD_US < d)
        d = s->up_us + SESSION_DEAD_US;
    const uint64_t others[] = {keys_previous_until_us(&s->keys), rekey_deadline_us(s, now_us)};
    for (unsigned i = 0; i < 2; i++)
        if (others[i] < d)
            d = others[i];
    if (s->tp) {
        uint64_t t = waits_for_keys(s, now_us) ? TIME_NEVER : transport_deadline_us(s->tp);
        /* What is due must not be sent before more has come from a path in doubt: then it is looked
         * at again anyhow, and now and then in between. */
        if (t < now_us + PATH_FULL_US && paths_room(&s->paths) < MTU_MIN_BYTES)
            t = now_us + PATH_FULL_US;
        if (t < d)
            d = t;
        if (s->tp->memory_us > 0 && s->tp->memory_us < d)
            d = s->tp->memory_us;
    } else if (s->last_use_us + SESSION_IDLE_US < d) {
        d = s->last_use_us + SESSION_IDLE_US;
    }
    return d;
}

static void session_timeout(struct endpoint *e, struct session *s, uint64_t now_us) {
    handshake_timeout(e, s, now_us);
    endpoint_make_ready(e, s);
    if (s->state != SESSION_UP)
        return;
    keys_expire(&s->keys, e->aead, now_us);
    if (s->confirm_left > 0 && now_us >= s->confirm_us)
        handshake_confirm(e, s, now_us);
    rekey_timeout(e, s, now_us);
    if (s->state == SESSION_ENDED)
        return;
    /* Nowhere may anything be sent. */
    if (paths_doubtful(&s->paths) && now_us >= s->up_us + SESSION_DEAD_US) {
        endpoint_session_end(e, s, ERR_TIMEOUT);
        return;
    }
    endpoint_send_challenges(e, s, now_us);
    if (!s->tp) {
        if (now_us >= s->last_use_us + SESSION_IDLE_US)
            endpoint_session_end(e, s, 0);
        return;
    }
    endpoint_try_memory(s, now_us);
    transport_timeout(s->tp, now_us);
    endpoint_path_silent(e, s, now_us);
    if (endpoint_holds_back(s, now_us)) {
        e->counters.reclaimed++;
        endpoint_hang_up(e, s, now_us, ERR_TIMEOUT);
    }
}

uint64_t endpoint_deadline_us(const struct endpoint *e) {
    return timer_next_us(&e->sessions.timers);
}

void endpoint_timeout(struct endpoint *e, uint64_t now_us) {
    for (struct session *s; (s = session_table_pop_due(&e->sessions, now_us));) {
        session_timeout(e, s, now_us);
        endpoint_reap(e); /* what it held counts for the next one */
    }
}
