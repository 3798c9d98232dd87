#include "node/channel/intake.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "node/channel/delimited.h"
#include "node/file/file_recv.h"
#include "node/file/manifest_in.h"
#include "node/message/letter.h"
#include "node/node_int.h"

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

static void give_up(struct node *n, struct session_ref s, uint64_t stream, int err) {
    int gone = stream_reset(n->ep, s, stream, err);
    gone = stream_stop(n->ep, s, stream, err);
    (void)gone;
}

/* ---- the list, and whose share of it is whose ---- */
static struct intake *find(struct node *n, struct session_ref s, uint64_t stream) {
    struct intake *in = n->intakes.head;
    while (in && !(in->stream == stream && session_ref_equal(in->share->session, s)))
        in = in->next;
    return in;
}

static struct intake_share *share_of(struct node *n, struct session_ref s) {
    struct intake_share *share = n->intakes.shares;
    while (share && !session_ref_equal(share->session, s))
        share = share->next;
    if (share)
        return share;
    share = calloc(1, sizeof *share);
    if (!share)
        return NULL;
    share->session = s;
    share->next = n->intakes.shares;
    n->intakes.shares = share;
    return share;
}

static void drop_share(struct node *n, struct intake_share *share) {
    struct intake_share **at = &n->intakes.shares;
    if (share->count > 0)
        return;
    while (*at != share)
        at = &(*at)->next;
    *at = share->next;
    free(share);
}

static void append(struct node *n, struct intake *in) {
    struct intakes *all = &n->intakes;
    in->next = NULL;
    in->prev = all->tail;
    *(all->tail ? &all->tail->next : &all->head) = in;
    all->tail = in;
}

static void take_out(struct node *n, struct intake *in) {
    struct intakes *all = &n->intakes;
    *(in->prev ? &in->prev->next : &all->head) = in->next;
    *(in->next ? &in->next->prev : &all->tail) = in->prev;
}

static void hold(struct node *n, struct intake *in, size_t bytes) {
    n->intakes.bytes += bytes - in->held;
    in->share->bytes += bytes - in->held;
    in->held = bytes;
}

static void drop(struct node *n, struct intake *in) {
    take_out(n, in);
    hold(n, in, 0);
    n->intakes.count--;
    in->share->count--;
    drop_share(n, in->share);
    blob_in_clear(&in->body);
    if (in->in)
        manifest_in_clear(in->in);
    free(in->in);
    free(in);
}

static void refuse(struct node *n, struct intake *in, int err) {
    const struct session_ref s = in->share->session;
    const uint64_t stream = in->stream;
    drop(n, in);
    give_up(n, s, stream, err);
}

/* ---- when there are too many ---- */
/* The session that holds the most, by count or by bytes. */
static const struct intake_share *heaviest(const struct node *n, bool bytes) {
    const struct intake_share *most = n->intakes.shares;
    for (const struct intake_share *s = most; s; s = s->next)
        if (bytes ? s->bytes > most->bytes : s->count > most->count)
            most = s;
    assert(most); /* asked only while there are some */
    return most;
}

/* Of a session: the largest one, or the one that has waited longest for bytes. */
static struct intake *victim_of(struct node *n, const struct intake_share *share, bool bytes) {
    struct intake *v = NULL;
    for (struct intake *in = n->intakes.head; in; in = in->next)
        if (in->share == share && (!v || (bytes ? in->held > v->held : in->due_us < v->due_us)))
            v = in;
    assert(v); /* a share without intakes is dropped with the last of them */
    return v;
}

static bool room_for_one(struct node *n, const struct intake_share *own) {
    if (own->count >= INTAKES_MAX_PER_CONTACT)
        return false;
    if (n->intakes.count < INTAKES_MAX)
        return true;
    const struct intake_share *most = heaviest(n, false);
    if (most->count <= own->count + 1)
        return false;
    n->intakes.evictions++;
    refuse(n, victim_of(n, most, false), ERR_FULL);
    return true;
}

/* After `in` has grown. */
static bool room_for_bytes(struct node *n, const struct intake *in) {
    if (in->share->bytes > INTAKE_BYTES_MAX_PER_CONTACT)
        return false;
    while (n->intakes.bytes > INTAKE_BYTES_MAX) {
        const struct intake_share *most = heaviest(n, true);
        if (most == in->share)
            return false;
        n->intakes.evictions++;
        refuse(n, victim_of(n, most, true), ERR_FULL);
    }
    return true;
}

void chan_opened(struct node *n, struct session_ref s, uint64_t stream) {
    if (!contact_by_session(n, s)) {
        give_up(n, s, stream, ERR_CLOSED);
        return;
    }
    struct intake *in = calloc(1, sizeof *in);
    struct intake_share *share = in ? share_of(n, s) : NULL;
    if (!share || !room_for_one(n, share)) {
        free(in);
        if (share)
            drop_share(n, share);
        n->intakes.refusals++;
        give_up(n, s, stream, ERR_FULL);
        return;
    }
    in->share = share;
    in->stream = stream;
    in->due_us = n->now_us + INTAKE_PROGRESS_US;
    in->due = INTAKE_PROGRESS_BYTES;
    append(n, in);
    n->intakes.count++;
    share->count++;
    chan_readable(n, s, stream);
}

/* ---- bytes ---- */
/* The channel is known: what its blob goes into. ERR_UNSUPPORTED, ERR_NOMEM. */
static int begin(struct node *n, struct intake *in) {
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
    rng_fill(&n->env.rng, key, sizeof key);
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

static int feed(struct node *n, struct intake *in, const uint8_t *p, size_t len, size_t *used,
                bool *answer, bool *whole) {
    *used = 0;
    *answer = *whole = false;
    if (in->channel == 0) {
        if (!varint_in_feed(&in->head, p, len, used, &in->channel))
            return 0;
        const int err = begin(n, in);
        if (err)
            return err;
    }
    size_t more = 0;
    int err;
    if (in->in) {
        err = feed_manifest(in, p + *used, len - *used, &more, answer, whole);
        hold(n, in, sizeof *in->in + in->in->manifest.held_bytes);
    } else {
        err = blob_in_feed(&in->body, p + *used, len - *used, &more);
        *whole = in->body.whole;
        hold(n, in, in->body.cap);
    }
    *used += more;
    return err;
}

/* Whole: the stream is its channel's from now on. */
static void hand_over(struct node *n, struct intake *in) {
    const struct session_ref s = in->share->session;
    struct contact *c = contact_by_session(n, s);
    const uint64_t stream = in->stream;
    struct manifest m;
    if (!c) {
        refuse(n, in, ERR_CLOSED);
        return;
    }
    if (in->in) {
        const int err = manifest_in_take(in->in, &m);
        drop(n, in);
        if (err)
            file_recv_no(n, s, stream, err);
        else
            file_recv_offer(n, c, s, stream, &m);
        return;
    }
    /* What comes of a message may be the session's end: the body must not depend on its place. */
    struct blob_in body = in->body;
    in->body = (struct blob_in){0};
    drop(n, in);
    message_come(n, c, s, stream, body.buf, body.len);
    blob_in_clear(&body);
}

static void failed(struct node *n, struct intake *in, int err, bool answer) {
    const struct session_ref s = in->share->session;
    const uint64_t stream = in->stream;
    if (!answer) {
        refuse(n, in, err);
        return;
    }
    drop(n, in);
    file_recv_no(n, s, stream, err);
}

static void progress(struct node *n, struct intake *in, size_t bytes) {
    n->intakes.step_bytes += bytes;
    if (n->intakes.step_bytes > n->intakes.step_most)
        n->intakes.step_most = n->intakes.step_bytes;
    n->intakes.taken_bytes += bytes;
    in->got += bytes;
    if (in->got < in->due)
        return;
    in->due = in->got + INTAKE_PROGRESS_BYTES;
    in->due_us = n->now_us + INTAKE_PROGRESS_US;
}

/* Takes what is there, within the step. */
static void take_in(struct node *n, struct intake *in) {
    const struct session_ref s = in->share->session;
    in->waits = false;
    for (;;) {
        struct span sp;
        bool fin = false, answer, whole;
        size_t used;
        if (stream_peek(n->ep, s, in->stream, 0, &sp, 1, &fin) == 0) {
            if (fin)
                refuse(n, in, ERR_PROTO);
            return;
        }
        const size_t room = n->intakes.step_bytes < INTAKE_STEP_BYTES
                                ? INTAKE_STEP_BYTES - n->intakes.step_bytes
                                : 0;
        if (room == 0) {
            in->waits = n->intakes.more = true;
            return;
        }
        const size_t len = sp.len < room ? sp.len : room;
        int err = feed(n, in, sp.block->data + sp.offset, len, &used, &answer, &whole);
        stream_consume(n->ep, n->now_us, s, in->stream, used);
        progress(n, in, used);
        if (!err && !room_for_bytes(n, in)) {
            n->intakes.refusals++;
            err = ERR_FULL;
        }
        if (err) {
            failed(n, in, err, answer);
            return;
        }
        if (whole) {
            n->intakes.step_bytes += INTAKE_WHOLE_BYTES;
            hand_over(n, in);
            return;
        }
    }
}

bool chan_readable(struct node *n, struct session_ref s, uint64_t stream) {
    struct intake *in = find(n, s, stream);
    if (!in)
        return false;
    take_in(n, in);
    return true;
}

bool chan_reset(struct node *n, struct session_ref s, uint64_t stream) {
    struct intake *in = find(n, s, stream);
    if (!in)
        return false;
    refuse(n, in, ERR_RESET);
    return true;
}

void chan_session_down(struct node *n, struct session_ref s) {
    for (struct intake *in = n->intakes.head, *next; in; in = next) {
        next = in->next;
        if (session_ref_equal(in->share->session, s))
            drop(n, in);
    }
}

/* ---- time ---- */
uint64_t chan_deadline_us(const struct node *n) {
    uint64_t at = n->intakes.more ? n->now_us : UINT64_MAX;
    for (const struct intake *in = n->intakes.head; in; in = in->next)
        at = in->due_us < at ? in->due_us : at;
    return at;
}

/* The next that waits: from the oldest on, and each has its step's worth before it comes again. */
static struct intake *next_waiting(struct node *n) {
    struct intake *in = n->intakes.head;
    while (in && !in->waits)
        in = in->next;
    return in;
}

void chan_timeout(struct node *n) {
    n->intakes.step_bytes = 0;
    n->intakes.more = false;
    for (struct intake *in; !n->intakes.more && (in = next_waiting(n)) != NULL;) {
        take_out(n, in); /* to the end, so that no stream keeps the others waiting */
        append(n, in);
        take_in(n, in);
    }
    for (struct intake *in = n->intakes.head, *next; in; in = next) {
        next = in->next;
        n->intakes.more |= in->waits;
        if (in->due_us > n->now_us || in->waits)
            continue;
        n->intakes.timeouts++;
        refuse(n, in, ERR_TIMEOUT);
    }
}

void chan_clear(struct node *n) {
    while (n->intakes.head)
        drop(n, n->intakes.head);
}
