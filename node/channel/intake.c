#include "node/channel/intake.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "net/endpoint.h"
#include "node/base/turn.h"
#include "node/channel/delimited.h"
#include "node/file/file_recv.h"
#include "node/file/manifest_in.h"
#include "node/file/transfer.h"
#include "node/message/letter.h"
#include "node/message/message.h"
#include "node/people/contact.h"

struct intake {
    struct intake *next, *prev;
    struct intake_share *share;
    uint64_t stream;
    struct varint_in head;
    uint64_t channel;       /* 0: not known yet */
    struct blob_in body;    /* a message */
    struct manifest_in *in; /* a manifest */
    uint64_t left;          /* of its blob; 0: its length is not known yet */
    size_t held;            /* memory that counts */
    uint64_t got;           /* bytes so far */
    uint64_t due_us, due;   /* so many bytes have to be there then */
    bool waits;             /* bytes are there, for the next step */
};

static void give_up(struct intakes *intakes, struct session_ref s, uint64_t stream, int err) {
    int gone = stream_reset(intakes->turn->ep, s, stream, err);
    gone = stream_stop(intakes->turn->ep, s, stream, err);
    (void)gone;
}

/* ---- the list, and whose share of it is whose ---- */
static struct intake *find(struct intakes *intakes, struct session_ref s, uint64_t stream) {
    struct intake *in = intakes->head;
    while (in && !(in->stream == stream && session_ref_equal(in->share->session, s)))
        in = in->next;
    return in;
}

static struct intake_share *share_of(struct intakes *intakes, struct session_ref s) {
    struct intake_share *share = intakes->shares;
    while (share && !session_ref_equal(share->session, s))
        share = share->next;
    if (share)
        return share;
    share = calloc(1, sizeof *share);
    if (!share)
        return NULL;
    share->session = s;
    share->next = intakes->shares;
    intakes->shares = share;
    return share;
}

static void drop_share(struct intakes *intakes, struct intake_share *share) {
    struct intake_share **at = &intakes->shares;
    if (share->count > 0)
        return;
    while (*at != share)
        at = &(*at)->next;
    *at = share->next;
    free(share);
}

static void append(struct intakes *intakes, struct intake *in) {
    in->next = NULL;
    in->prev = intakes->tail;
    *(intakes->tail ? &intakes->tail->next : &intakes->head) = in;
    intakes->tail = in;
}

static void take_out(struct intakes *intakes, struct intake *in) {
    *(in->prev ? &in->prev->next : &intakes->head) = in->next;
    *(in->next ? &in->next->prev : &intakes->tail) = in->prev;
}

static void hold(struct intakes *intakes, struct intake *in, size_t bytes) {
    intakes->bytes += bytes - in->held;
    in->share->bytes += bytes - in->held;
    in->held = bytes;
}

static void drop(struct intakes *intakes, struct intake *in) {
    take_out(intakes, in);
    hold(intakes, in, 0);
    intakes->count--;
    in->share->count--;
    drop_share(intakes, in->share);
    blob_in_clear(&in->body);
    if (in->in)
        manifest_in_clear(in->in);
    free(in->in);
    free(in);
}

static void refuse(struct intakes *intakes, struct intake *in, int err) {
    const struct session_ref s = in->share->session;
    const uint64_t stream = in->stream;
    drop(intakes, in);
    give_up(intakes, s, stream, err);
}

/* ---- when there are too many ---- */
/* The session that holds the most, by count or by bytes. */
static const struct intake_share *heaviest(const struct intakes *intakes, bool bytes) {
    const struct intake_share *most = intakes->shares;
    for (const struct intake_share *s = most; s; s = s->next)
        if (bytes ? s->bytes > most->bytes : s->count > most->count)
            most = s;
    assert(most); /* asked only while there are some */
    return most;
}

/* Of a session: the largest one, or the one that has waited longest for bytes. */
static struct intake *victim_of(struct intakes *intakes, const struct intake_share *share,
                                bool bytes) {
    struct intake *v = NULL;
    for (struct intake *in = intakes->head; in; in = in->next)
        if (in->share == share && (!v || (bytes ? in->held > v->held : in->due_us < v->due_us)))
            v = in;
    assert(v); /* a share without intakes is dropped with the last of them */
    return v;
}

static bool room_for_one(struct intakes *intakes, const struct intake_share *own) {
    if (own->count >= INTAKES_MAX_PER_CONTACT)
        return false;
    if (intakes->count < INTAKES_MAX)
        return true;
    const struct intake_share *most = heaviest(intakes, false);
    if (most->count <= own->count + 1)
        return false;
    intakes->evictions++;
    refuse(intakes, victim_of(intakes, most, false), ERR_FULL);
    return true;
}

/* After `in` has grown. */
static bool room_for_bytes(struct intakes *intakes, const struct intake *in) {
    if (in->share->bytes > INTAKE_BYTES_MAX_PER_CONTACT)
        return false;
    while (intakes->bytes > INTAKE_BYTES_MAX) {
        const struct intake_share *most = heaviest(intakes, true);
        if (most == in->share)
            return false;
        intakes->evictions++;
        refuse(intakes, victim_of(intakes, most, true), ERR_FULL);
    }
    return true;
}

void chan_opened(struct intakes *intakes, struct session_ref s, uint64_t stream) {
    if (!contact_by_session(intakes->contacts, s)) {
        give_up(intakes, s, stream, ERR_CLOSED);
        return;
    }
    struct intake *in = calloc(1, sizeof *in);
    struct intake_share *share = in ? share_of(intakes, s) : NULL;
    if (!share || !room_for_one(intakes, share)) {
        free(in);
        if (share)
            drop_share(intakes, share);
        intakes->refusals++;
        give_up(intakes, s, stream, ERR_FULL);
        return;
    }
    in->share = share;
    in->stream = stream;
    in->due_us = intakes->turn->now_us + INTAKE_PROGRESS_US;
    in->due = INTAKE_PROGRESS_BYTES;
    append(intakes, in);
    intakes->count++;
    share->count++;
    chan_readable(intakes, s, stream);
}

/* ---- bytes ---- */
/* The channel is known: what its blob goes into. ERR_UNSUPPORTED, ERR_NOMEM. */
static int begin(struct intakes *intakes, struct intake *in) {
    if (in->channel == CHAN_MESSAGE) {
        blob_in_init(&in->body, LETTER_MAX_BYTES);
        return 0;
    }
    if (in->channel != CHAN_FILE)
        return ERR_UNSUPPORTED;
    uint8_t key[MANIFEST_KEY_BYTES];
    in->in = malloc(sizeof *in->in);
    if (!in->in)
        return ERR_NOMEM;
    rng_fill(&intakes->turn->env.rng, key, sizeof key);
    manifest_in_init(in->in, key);
    in->head = (struct varint_in){0};
    return 0;
}

/* A manifest's bytes; *whole when its blob has ended. An error of the manifest itself is answered,
 * and *answer says so; one of the blob resets the stream. */
static int feed_manifest(struct intake *in, const uint8_t *p, size_t len, size_t *used,
                         bool *answer, bool *whole) {
    *used = 0;
    if (in->left == 0) {
        if (!varint_in_feed(&in->head, p, len, used, &in->left))
            return 0;
        if (in->left == 0 || in->left > MANIFEST_MAX_BYTES)
            return ERR_PROTO;
    }
    const size_t rest = len - *used, more = in->left < rest ? (size_t)in->left : rest;
    const int err = manifest_in_feed(in->in, p + *used, more);
    *answer = err != 0;
    *used += more;
    in->left -= more;
    *whole = !err && in->left == 0;
    return err;
}

static int feed(struct intakes *intakes, struct intake *in, const uint8_t *p, size_t len,
                size_t *used, bool *answer, bool *whole) {
    *used = 0;
    *answer = *whole = false;
    if (in->channel == 0) {
        if (!varint_in_feed(&in->head, p, len, used, &in->channel))
            return 0;
        const int err = begin(intakes, in);
        if (err)
            return err;
    }
    size_t more = 0;
    int err;
    if (in->in) {
        err = feed_manifest(in, p + *used, len - *used, &more, answer, whole);
        hold(intakes, in, sizeof *in->in + in->in->manifest.held_bytes);
    } else {
        err = blob_in_feed(&in->body, p + *used, len - *used, &more);
        *whole = in->body.whole;
        hold(intakes, in, in->body.cap);
    }
    *used += more;
    return err;
}

/* Whole: the stream is its channel's from now on. */
static void hand_over(struct intakes *intakes, struct intake *in) {
    const struct session_ref s = in->share->session;
    struct contact *c = contact_by_session(intakes->contacts, s);
    const uint64_t stream = in->stream;
    struct manifest m;
    if (!c) {
        refuse(intakes, in, ERR_CLOSED);
        return;
    }
    if (in->in) {
        const int err = manifest_in_take(in->in, &m);
        drop(intakes, in);
        if (err)
            file_recv_no(intakes->transfers, s, stream, err);
        else
            file_recv_offer(intakes->transfers, c, s, stream, &m);
        return;
    }
    /* What comes of a message may be the session's end: the body must not depend on its place. */
    struct blob_in body = in->body;
    in->body = (struct blob_in){0};
    drop(intakes, in);
    message_come(intakes->messages, c, s, stream, body.buf, body.len);
    blob_in_clear(&body);
}

static void failed(struct intakes *intakes, struct intake *in, int err, bool answer) {
    const struct session_ref s = in->share->session;
    const uint64_t stream = in->stream;
    if (!answer) {
        refuse(intakes, in, err);
        return;
    }
    drop(intakes, in);
    file_recv_no(intakes->transfers, s, stream, err);
}

static void progress(struct intakes *intakes, struct intake *in, size_t bytes) {
    intakes->step_bytes += bytes;
    if (intakes->step_bytes > intakes->step_most)
        intakes->step_most = intakes->step_bytes;
    intakes->taken_bytes += bytes;
    in->got += bytes;
    if (in->got < in->due)
        return;
    in->due = in->got + INTAKE_PROGRESS_BYTES;
    in->due_us = intakes->turn->now_us + INTAKE_PROGRESS_US;
}

/* Takes what is there, within the step. */
static void take_in(struct intakes *intakes, struct intake *in) {
    const struct session_ref s = in->share->session;
    in->waits = false;
    for (;;) {
        struct span sp;
        bool fin = false, answer, whole;
        size_t used;
        if (stream_peek(intakes->turn->ep, s, in->stream, 0, &sp, 1, &fin) == 0) {
            if (fin)
                refuse(intakes, in, ERR_PROTO);
            return;
        }
        const size_t room =
            intakes->step_bytes < INTAKE_STEP_BYTES ? INTAKE_STEP_BYTES - intakes->step_bytes : 0;
        if (room == 0) {
            in->waits = intakes->more = true;
            return;
        }
        const size_t len = sp.len < room ? sp.len : room;
        int err = feed(intakes, in, sp.block->data + sp.offset, len, &used, &answer, &whole);
        stream_consume(intakes->turn->ep, intakes->turn->now_us, s, in->stream, used);
        progress(intakes, in, used);
        if (!err && !room_for_bytes(intakes, in)) {
            intakes->refusals++;
            err = ERR_FULL;
        }
        if (err) {
            failed(intakes, in, err, answer);
            return;
        }
        if (whole) {
            intakes->step_bytes += INTAKE_WHOLE_BYTES;
            hand_over(intakes, in);
            return;
        }
    }
}

bool chan_readable(struct intakes *intakes, struct session_ref s, uint64_t stream) {
    struct intake *in = find(intakes, s, stream);
    if (!in)
        return false;
    take_in(intakes, in);
    return true;
}

bool chan_reset(struct intakes *intakes, struct session_ref s, uint64_t stream) {
    struct intake *in = find(intakes, s, stream);
    if (!in)
        return false;
    refuse(intakes, in, ERR_RESET);
    return true;
}

void chan_session_down(struct intakes *intakes, struct session_ref s) {
    for (struct intake *in = intakes->head, *next; in; in = next) {
        next = in->next;
        if (session_ref_equal(in->share->session, s))
            drop(intakes, in);
    }
}

/* ---- time ---- */
uint64_t chan_deadline_us(const struct intakes *intakes) {
    uint64_t at = intakes->more ? intakes->turn->now_us : UINT64_MAX;
    for (const struct intake *in = intakes->head; in; in = in->next)
        at = in->due_us < at ? in->due_us : at;
    return at;
}

/* The next that waits: from the oldest on, and each has its step's worth before it comes again. */
static struct intake *next_waiting(struct intakes *intakes) {
    struct intake *in = intakes->head;
    while (in && !in->waits)
        in = in->next;
    return in;
}

void chan_timeout(struct intakes *intakes) {
    intakes->step_bytes = 0;
    intakes->more = false;
    for (struct intake *in; !intakes->more && (in = next_waiting(intakes)) != NULL;) {
        take_out(intakes, in); /* to the end, so that no stream keeps the others waiting */
        append(intakes, in);
        take_in(intakes, in);
    }
    for (struct intake *in = intakes->head, *next; in; in = next) {
        next = in->next;
        intakes->more |= in->waits;
        if (in->due_us > intakes->turn->now_us || in->waits)
            continue;
        intakes->timeouts++;
        refuse(intakes, in, ERR_TIMEOUT);
    }
}

void chan_clear(struct intakes *intakes) {
    while (intakes->head)
        drop(intakes, intakes->head);
}

/* ---- as a part of the node (node/base/part.h) ---- */
static void part_clear(void *self) {
    chan_clear(self);
}

static uint64_t part_deadline_us(const void *self) {
    return chan_deadline_us(self);
}

static void part_timeout(void *self) {
    chan_timeout(self);
}

static void part_peer_down(void *self, struct contact *c, int err) {
    (void)err;
    chan_session_down(self, c->peering->session);
}

static void part_contact_gone(void *self, struct contact *c) {
    if (c->peering->online)
        chan_session_down(self, c->peering->session);
}

const struct part_ops intakes_part = {.clear = part_clear,
                                      .deadline_us = part_deadline_us,
                                      .timeout = part_timeout,
                                      .peer_down = part_peer_down,
                                      .contact_gone = part_contact_gone};
