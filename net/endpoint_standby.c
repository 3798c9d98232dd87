/* endpoint_standby.c: a session with several paths. The one in use is given up when nothing comes
 * back (SUSPECT): what leaves goes by the best of the others as well, until something is
 * acknowledged, which shows which of the two is alive. The side that began the session also leaves
 * it for a better one. Each side tells the other now and then what has come by a path. */
#include "net/endpoint_int.h"

void endpoint_path_withdraw(struct endpoint *e, struct session *s, uint64_t now_us,
                            const struct hop *at) {
    const struct paths_move m = paths_withdraw(&s->paths, now_us, at);
    endpoint_path_take(e, s, now_us, &m);
    /* Without memory for the move it is still in use: silent, and not forgotten. */
    struct path_place *left = m.what == PATHS_MOVE ? path_list_find(s->paths.known, at) : NULL;
    if (left && left != path_list_active(s->paths.known))
        path_list_remove(left);
    endpoint_make_ready(e, s);
}

void endpoint_path_gone(struct endpoint *e, struct session *s, uint64_t now_us,
                        const struct hop *at) {
    struct hop to[PEER_HOPS_MAX];
    endpoint_path_withdraw(e, s, now_us, at);
    if (!hop_same_place(at, session_hop(s)))
        return;
    const unsigned n = peer_hops(s->peer, &s->peer->last_path, to);
    for (unsigned i = 0; i < n; i++)
        if (!hop_same_place(&to[i], at) && paths_ask(&s->paths, &e->rng, now_us, &to[i]) == 0)
            endpoint_send_challenges(e, s, now_us);
    endpoint_make_ready(e, s);
}

void endpoint_network_changed(struct endpoint *e, uint64_t now_us) {
    struct session *s;
    for (uint32_t at = 0; (s = session_table_each(&e->sessions, &at));) {
        if (!s->paths.known)
            continue;
        path_list_ask_failed(s->paths.known, now_us);
        endpoint_make_ready(e, s);
    }
}

/* ---- what leaves ---- */

void endpoint_standby_sent(struct session *s, uint64_t now_us, bool eliciting) {
    struct path_list *l = s->paths.known;
    if (!l || !eliciting)
        return;
    path_list_used(l, now_us);
    if (l->silent_us == 0)
        l->silent_us = now_us;
}

const struct hop *endpoint_standby_copies(const struct endpoint *e, const struct session *s,
                                          size_t *bytes) {
    struct path_list *l = s->paths.known;
    if (!l || path_list_active(l)->status != PATH_SUSPECT)
        return NULL;
    const struct path_place *p = path_list_standby(l);
    if (!p || !s->tp->copies)
        return NULL;
    *bytes = (p->mtu_bytes > 0 ? p->mtu_bytes : MTU_BASE_BYTES) - endpoint_hop_overhead(e, &p->hop);
    return &p->hop;
}

/* ---- silence ---- */

static uint64_t patience_us(const struct transport *t) {
    const uint64_t rtts_us = PATH_SUSPECT_RTTS * t->rec->rtt.srtt_us;
    return rtts_us > PATH_SUSPECT_US ? rtts_us : PATH_SUSPECT_US;
}

uint64_t endpoint_standby_due_us(const struct session *s) {
    struct path_list *l = s->paths.known;
    if (!l || !s->tp || l->silent_us == 0 || path_list_active(l)->status != PATH_ACTIVE)
        return TIME_NEVER;
    return l->silent_us + patience_us(s->tp);
}

void endpoint_standby_timeout(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (now_us < endpoint_standby_due_us(s))
        return;
    if (s->tp->sent.outstanding == 0 && !transport_has_work(s->tp)) {
        s->paths.known->silent_us = 0;
        return;
    }
    path_list_suspect(s->paths.known, now_us);
    e->counters.paths_suspected++;
    if (path_list_standby(s->paths.known))
        transport_copies(s->tp, now_us);
    endpoint_send_challenges(e, s, now_us);
    endpoint_make_ready(e, s);
}

/* Something is acknowledged. Of what went by one path: that is alive. Only of what went by both:
 * it was the other one, since along the first nothing had come through. */
static void acked(struct endpoint *e, struct session *s, uint64_t now_us, unsigned what) {
    struct path_list *l = s->paths.known;
    l->silent_us = s->tp->rec->outstanding > 0 ? now_us : 0;
    if (path_list_active(l)->status != PATH_SUSPECT)
        return;
    const struct path_place *to = path_list_find(l, &l->copied_to);
    if (what & TRANSPORT_ACKED_ALONE || !to || to->status != PATH_VALIDATED) {
        path_list_trust(l, now_us);
        s->tp->copies = false;
        return;
    }
    const struct paths_move m = paths_to(&s->paths, to, PATH_SILENT);
    endpoint_path_take(e, s, now_us, &m);
    if (m.what == PATHS_MOVE)
        transport_left_are_dead(s->tp, now_us);
}

/* ---- what comes ---- */

static void count_losses(struct session *s, uint64_t now_us) {
    struct path_list *l = s->paths.known;
    if (now_us < l->loss_us + PATH_REPORT_US)
        return;
    struct path_place *p = path_list_active(l);
    const uint64_t numbers = s->replay.newest - l->newest_pn;
    const uint64_t came = s->pkts_received - l->got_pkts;
    const uint64_t sent = s->pkts_sent - l->sent_pkts, lost = s->memo.pkts_lost - l->lost_pkts;
    /* What we have sent, or what has come, whichever is more. */
    if (l->loss_us > 0 && now_us < l->loss_us + 2 * PATH_REPORT_US) {
        if (sent >= came)
            path_place_losses(p, sent, lost);
        else
            path_place_losses(p, numbers, numbers > came ? numbers - came : 0);
    }
    l->loss_us = now_us;
    l->newest_pn = s->replay.newest;
    l->got_pkts = s->pkts_received;
    l->sent_pkts = s->pkts_sent;
    l->lost_pkts = s->memo.pkts_lost;
}

/* Of a list that has just begun the first sample is the least that the path has shown so far. */
static void sample(struct session *s, uint64_t now_us, uint64_t rtt_us) {
    struct path_place *p = path_list_active(s->paths.known);
    const struct recovery *r = s->tp->rec;
    if (p->low_us[0] == 0)
        path_place_sample(p, now_us, r->rtt.min_us, true);
    path_place_sample(p, now_us, rtt_us, !r->app_limited);
}

static void report(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct path_list *l = s->paths.known;
    struct path_place *p = path_list_active(l);
    uint8_t frame[PATH_REPORT_BYTES_MAX];
    struct wr w = wr_init(frame, sizeof frame);
    if (!(s->caps & CAPABILITY_PATHS) || now_us < l->report_us || p->got_pkts == p->told_pkts)
        return;
    frame_write_path_report(&w, &(struct path_report){.packets = p->got_pkts,
                                                      .bytes = p->got_bytes,
                                                      .largest = p->got_largest_bytes});
    endpoint_send_frames(e, s, now_us, frame, wr_len(&w));
    p->told_pkts = p->got_pkts;
    p->got_largest_bytes = 0;
    l->report_us = now_us + PATH_REPORT_US;
}

/* Not even packets of the base pass, and there is another path of which that is not known. */
static void leave_the_narrow(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct path_list *l = s->paths.known;
    struct path_place *left = path_list_active(l);
    const struct path_place *to = path_list_standby(l);
    const bool narrow = to && to->mtu_bytes > 0 && to->mtu_bytes < MTU_BASE_BYTES;
    if (!to || narrow || left->status != PATH_ACTIVE)
        return;
    struct paths_move m = paths_to(&s->paths, to, PATH_BETTER);
    endpoint_path_take(e, s, now_us, &m);
    left->why = PATH_WHY_BLACK_HOLE;
    left->lapses = PATH_LAPSES_MAX;
}

void endpoint_standby_reported(struct endpoint *e, struct session *s, uint64_t now_us,
                               const struct hop *from, const struct path_report *r) {
    struct path_list *l = s->paths.known;
    struct path_place *p = l ? path_list_find(l, from) : NULL;
    e->counters.path_reports_in++;
    if (!p)
        return;
    const bool some = r->packets > p->theirs_pkts;
    p->theirs_pkts = r->packets;
    if (!some || p != path_list_active(l) || !s->tp)
        return;
    (void)transport_black_hole(s->tp, now_us, r->largest);
    if (transport_is_narrow(s->tp))
        leave_the_narrow(e, s, now_us);
    endpoint_make_ready(e, s);
}

void endpoint_standby_heard(struct endpoint *e, struct session *s, uint64_t now_us,
                            const struct hop *from, size_t bytes) {
    struct path_list *l = s->paths.known;
    uint64_t sample_us = 0;
    const unsigned what = s->tp ? transport_take_acked(s->tp, &sample_us) : 0;
    if (!l || session_over(s))
        return;
    struct path_place *p = path_list_find(l, from);
    if (p) {
        p->heard_us = now_us;
        p->got_pkts++;
        p->got_bytes += bytes;
        if (bytes > p->got_largest_bytes)
            p->got_largest_bytes = (uint16_t)bytes;
    }
    if (sample_us > 0)
        sample(s, now_us, sample_us);
    if (what && s->tp->left_dead)
        transport_left_are_dead(s->tp, now_us);
    if (what & (TRANSPORT_ACKED_ALONE | TRANSPORT_ACKED_COPIED))
        acked(e, s, now_us, what);
    if (!what && !(s->tp && s->tp->ack.waiting > 0))
        return;
    path_list_used(l, now_us);
    count_losses(s, now_us);
    report(e, s, now_us);
}

/* ---- told ---- */

static void tell(const struct session *s, const struct path_place *p, struct path_info *out) {
    *out = (struct path_info){.hop = p->hop,
                              .status = (enum path_status)p->status,
                              .srtt_us = p->rtt.has_sample ? p->rtt.srtt_us : 0,
                              .loss_permille = p->loss_permille,
                              .mtu_bytes = p->mtu_bytes,
                              .why = path_why_text((enum path_why)p->why),
                              .heard_us = p->heard_us};
    out->in_use = p->status == PATH_ACTIVE || p->status == PATH_SUSPECT;
    if (!out->in_use)
        return;
    const struct rtt *rtt = s->tp && s->tp->rec->rtt.has_sample ? &s->tp->rec->rtt
                            : s->memo.has_rtt                   ? &s->memo.rtt
                                                                : NULL;
    if (rtt)
        out->srtt_us = rtt->srtt_us;
    out->mtu_bytes = s->tp                   ? transport_mtu(s->tp)
                     : s->memo.mtu_bytes > 0 ? s->memo.mtu_bytes
                                             : MTU_BASE_BYTES;
}

unsigned session_paths(const struct endpoint *e, struct session_ref r,
                       struct path_info out[static PATHS_MAX]) {
    const struct session *s = endpoint_find(e, r);
    unsigned n = 0;
    if (!s)
        return 0;
    const struct path_place alone = {.hop = *session_hop(s),
                                     .status = PATH_ACTIVE,
                                     .why = PATH_WHY_BEGAN,
                                     .heard_us = s->last_recv_us};
    struct path_list *l = s->paths.known;
    const struct path_place *active = l ? path_list_active(l) : &alone;
    tell(s, active, &out[n++]);
    for (unsigned i = 0; l && i < PATHS_MAX; i++)
        if (l->v[i].hop.kind != HOP_NONE && &l->v[i] != active)
            tell(s, &l->v[i], &out[n++]);
    return n;
}
