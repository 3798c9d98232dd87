#include "net/transport/transport.h"

#include "crypto/base/mem.h"
#include "net/base/timer.h"
#include "net/path/path_challenge.h"
#include "net/path/path_list.h"

void transport_memo_init(struct transport_memo *m) {
    *m = (struct transport_memo){
        .credit = {.send_limit = SESSION_WINDOW_BYTES},
        .local_max = STREAMS_MAX,
        .peer_max = STREAMS_MAX,
    };
    allowance_init(&m->credit.given, SESSION_WINDOW_BYTES);
}

void transport_memo_new_path(struct transport_memo *m) {
    ecn_new_path(&m->ecn);
    m->mtu_bytes = 0;
    m->has_rtt = false;
}

void transport_next_skip(struct transport *t, uint64_t pn) {
    t->skip_at = pn + SKIP_DISTANCE_MIN_PKTS + rng_u32(&t->rng) % 1024;
}

static void rtt_known(struct transport *t, const struct rtt *rtt) {
    recovery_set_rtt(t->rec, rtt);
    ack_set_rtt(&t->ack, rtt->srtt_us);
}

struct transport *transport_new(const struct transport_setup *s, uint64_t now_us,
                                uint64_t next_pn) {
    struct transport *t = mem_calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->account = block_account_new(s->pool);
    t->rec = recoveries_add(&t->paths);
    if (!t->account || !t->rec) {
        block_account_free(t->account);
        recoveries_clear(&t->paths);
        mem_free(t);
        return NULL;
    }
    t->memo = s->memo;
    t->shares = s->shares;
    t->events = s->events;
    t->counters = s->counters;
    t->rng = s->rng;
    t->self = s->self;
    t->peer = s->peer;
    t->initiator = s->initiator;
    t->rec->cc_kind = s->cc;
    t->rec->mtu_max = s->mtu_max;
    t->touched_us = now_us;
    hoard_init(&t->hoard_received, now_us, t->memo->credit.consumed);
    hoard_init(&t->hoard_sent, now_us, 0);
    t->next_pn = next_pn;
    recovery_init(t->rec, now_us, s->path, next_pn);
    sent_init(&t->sent, next_pn);
    t->sent.all = &t->shares->sent;
    ack_init(&t->ack);
    /* The same path as when the last transport of this session was detached. */
    if (t->memo->mtu_bytes > 0) {
        t->rec->pmtud.mtu_bytes = t->memo->mtu_bytes;
        cc_init(&t->rec->cc, s->cc, t->memo->mtu_bytes);
    }
    if (t->memo->has_rtt)
        rtt_known(t, &t->memo->rtt);
    ranges_init(&t->skipped, SKIPPED_PNS_MAX);
    transport_next_skip(t, next_pn);
    return t;
}

void transport_free(struct transport *t) {
    if (!t)
        return;
    for (uint32_t i = 0; i < t->hash_cap; i++) {
        for (struct stream *s = t->hash[i], *next; s; s = next) {
            next = s->hash_next;
            sstream_clear(&s->out);
            rstream_clear(&s->in);
            mem_free(s);
        }
    }
    mem_free(t->hash);
    t->shares->streams.used -= t->peer_streams;
    transport_unstarve(t);
    dgram_queue_clear(&t->datagrams);
    sent_clear(&t->sent);
    recoveries_clear(&t->paths);
    ack_clear(&t->ack);
    ranges_clear(&t->skipped);
    block_account_free(t->account);
    mem_free(t);
}

/* ---- the list of those whose writers wait for memory ---- */

void transport_starve(struct transport *t) {
    if (!list_has(&t->starved))
        list_add(&t->shares->starved, &t->starved);
}

void transport_unstarve(struct transport *t) {
    if (!list_has(&t->starved))
        return;
    list_remove(&t->shares->starved, &t->starved);
    t->memory_us = 0;
}

/* ---- much for nothing ---- */

bool transport_hoards_received(const struct transport *t, uint64_t now_us) {
    return hoard_lasts(&t->hoard_received, now_us, block_account_bytes(t->account, BLOCK_RECV),
                       t->memo->credit.consumed);
}

bool transport_hoards_sent(const struct transport *t, uint64_t now_us) {
    return t->sent.outstanding > 0 &&
           hoard_lasts(&t->hoard_sent, now_us, block_account_bytes(t->account, BLOCK_SEND),
                       t->acked_bytes * HOARD_SENT_PART);
}

uint16_t transport_mtu(const struct transport *t) {
    return t->rec->pmtud.mtu_bytes;
}

bool transport_has_streams(const struct transport *t) {
    for (unsigned p = 0; p < STREAM_PRIORITIES; p++)
        if (t->active[p].first)
            return true;
    return false;
}

bool transport_awaits(const struct transport *t) {
    for (uint32_t i = 0; i < t->hash_cap; i++)
        for (const struct stream *s = t->hash[i]; s; s = s->hash_next)
            if (!rstream_whole(&s->in))
                return true;
    return false;
}

bool transport_has_work(const struct transport *t) {
    return t->ctl.first || t->datagrams.count > 0 || t->memo->credit.given.due ||
           t->want_max_streams || t->rec->probes || transport_has_streams(t);
}

bool transport_idle(const struct transport *t, uint64_t now_us) {
    return t->stream_count == 0 && t->sent.outstanding == 0 && t->ack.waiting == 0 && !t->ack.due &&
           !transport_has_work(t) && now_us >= t->touched_us + TRANSPORT_LINGER_US;
}

uint64_t transport_deadline_us(const struct transport *t) {
    uint64_t d = recovery_deadline_us(t->rec, &t->sent);
    if (recoveries_give_up_us(&t->paths) < d)
        d = recoveries_give_up_us(&t->paths);
    if (t->ack.deadline_us < d)
        d = t->ack.deadline_us;
    if (d == TIME_NEVER && t->stream_count == 0)
        d = t->touched_us + TRANSPORT_LINGER_US;
    return d;
}

bool transport_is_silent(const struct transport *t) {
    return t->sent.outstanding > 0 && t->rec->loss.pto_count >= PATH_SILENT_PTOS;
}

void transport_path_state(const struct transport *t, struct path_state *out) {
    out->rtt = t->rec->rtt;
    cc_save(&t->rec->cc, &out->seed);
}

/* A place for one more: if there are none, that of the path left longest ago. */
static struct recovery *add_path(struct transport *t, uint64_t now_us) {
    struct recovery *r = recoveries_add(&t->paths);
    const uint64_t first_us = recoveries_give_up_us(&t->paths);
    if (r || first_us == TIME_NEVER)
        return r;
    for (unsigned i = 0; i < RECOVERIES_MAX; i++)
        if (t->paths.v[i] && t->paths.v[i]->loss.give_up_us == first_us)
            t->paths.v[i]->loss.give_up_us = now_us;
    transport_detect_losses(t, now_us);
    return recoveries_add(&t->paths);
}

int transport_path_switched(struct transport *t, uint64_t now_us, uint16_t path,
                            const struct path_state *known) {
    struct recovery *left = t->rec, *r = add_path(t, now_us);
    if (!r)
        return ERR_NOMEM;
    r->cc_kind = left->cc_kind;
    r->mtu_max = left->mtu_max;
    recovery_init(r, now_us, path, t->next_pn);
    recovery_leave(left, now_us);
    t->rec = r;
    t->copies = t->left_dead = false;
    t->sampled_us = t->acked = 0;
    recoveries_reap(&t->paths);
    transport_memo_new_path(t->memo);
    if (known && known->rtt.has_sample) {
        rtt_known(t, &known->rtt);
        cc_resume(&t->rec->cc, now_us, &known->seed);
    }
    /* What was acknowledged last may have gone to where nobody is. */
    if (t->ack.has_largest)
        t->ack.due = true;
    /* Say something at once, so that the new path gets its first RTT sample and the peer learns it.
     */
    if (t->sent.outstanding > 0 && t->rec->probes == 0)
        t->rec->probes = 1;
    return 0;
}

void transport_too_big(struct transport *t, uint64_t now_us, size_t bytes) {
    uint16_t size = bytes > UINT16_MAX ? UINT16_MAX : (uint16_t)bytes;
    if (!pmtud_too_big(&t->rec->pmtud, now_us, size))
        return;
    recovery_mtu_changed(t->rec);
    t->memo->mtu_bytes = t->rec->pmtud.mtu_bytes;
}

bool transport_black_hole(struct transport *t, uint64_t now_us, uint64_t largest) {
    const struct pmtud *p = &t->rec->pmtud;
    if (largest >= p->mtu_bytes || p->mtu_bytes == MTU_MIN_BYTES ||
        p->big_losses < PATH_BLACK_HOLE_LOSSES || largest >= p->big_lost_bytes)
        return false;
    t->counters->black_holes++;
    transport_too_big(t, now_us, p->mtu_bytes);
    return true;
}

bool transport_is_narrow(const struct transport *t) {
    const struct pmtud *p = &t->rec->pmtud;
    return p->mtu_bytes < MTU_BASE_BYTES && p->ceiling_bytes <= MTU_BASE_BYTES;
}
