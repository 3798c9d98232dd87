#include "node/channel/intake.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/base/owner.h"
#include "node/base/turn.h"
#include "node/channel/delimited.h"
#include "node/people/contact.h"

struct intake {
    struct intake *next, *prev;
    struct intake_share *share;
    uint64_t stream;
    uint64_t handle;
    struct varint_in head;
    const struct channel *channel; /* NULL: not known yet */
    void *body;                    /* the channel's; set with it */
    size_t held;                   /* memory that counts */
    uint64_t got;                  /* bytes so far */
    uint64_t due_us, due;          /* so many bytes have to be there then */
    bool waits;                    /* bytes are there, for the next step */
};

void intakes_serve(struct intakes *intakes, const struct channel_ops *ops, void *self) {
    assert(intakes->channel_count < CHANNELS_MAX);
    intakes->channels[intakes->channel_count++] = (struct channel){ops, self};
}

static void give_up(struct intakes *intakes, struct session_ref s, uint64_t stream, int err) {
    stream_abort(intakes->turn->ep, s, stream, err);
}

/* ---- the list, and whose share of it is whose ---- */
static struct intake_share *share_of(struct intakes *intakes, struct session_ref s) {
    struct intake_share *share = intakes->shares;
    while (share && !session_ref_equal(share->session, s))
        share = share->next;
    if (share)
        return share;
    share = mem_calloc(1, sizeof *share);
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
    mem_free(share);
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
    handle_drop(&intakes->handles, in->handle);
    hold(intakes, in, 0);
    intakes->count--;
    in->share->count--;
    drop_share(intakes, in->share);
    if (in->body)
        in->channel->ops->free(in->body);
    mem_free(in);
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

/* ---- bytes ---- */
static const struct channel *channel_of(const struct intakes *intakes, uint64_t number) {
    for (unsigned i = 0; i < intakes->channel_count; i++)
        if (intakes->channels[i].ops->number == number)
            return &intakes->channels[i];
    return NULL;
}

/* The channel is known: what its body goes into. ERR_UNSUPPORTED, ERR_NOMEM. */
static int begin(const struct intakes *intakes, struct intake *in, uint64_t number) {
    const struct channel *channel = channel_of(intakes, number);
    if (!channel)
        return ERR_UNSUPPORTED;
    in->body = channel->ops->begin(channel->self);
    if (!in->body)
        return ERR_NOMEM;
    in->channel = channel;
    return 0;
}

static int feed(struct intakes *intakes, struct intake *in, const uint8_t *p, size_t len,
                struct channel_fed *out) {
    size_t head = 0;
    *out = (struct channel_fed){0};
    if (!in->channel) {
        uint64_t number;
        const bool known = varint_in_feed(&in->head, p, len, &head, &number);
        const int err = known ? begin(intakes, in, number) : 0;
        if (!known || err) {
            out->used = head;
            return err;
        }
    }
    const int err = in->channel->ops->feed(in->body, p + head, len - head, out);
    out->used += head;
    hold(intakes, in, in->channel->ops->held_bytes(in->body));
    return err;
}

/* Whole: the stream is its channel's from now on, and so is the body: what comes of it may be the
 * session's end, so nothing of it is in the intake any more. */
static void hand_over(struct intakes *intakes, struct intake *in) {
    const struct channel *channel = in->channel;
    const struct session_ref s = in->share->session;
    const uint64_t stream = in->stream;
    struct contact *c = contact_by_session(intakes->contacts, s);
    void *body = in->body;
    if (!c) {
        refuse(intakes, in, ERR_CLOSED);
        return;
    }
    in->body = NULL;
    drop(intakes, in);
    stream_set_owner(intakes->turn->ep, s, stream, 0);
    channel->ops->take(channel->self, c, s, stream, body);
}

static void failed(struct intakes *intakes, struct intake *in, int err, bool answer) {
    const struct channel *channel = in->channel;
    const struct session_ref s = in->share->session;
    const uint64_t stream = in->stream;
    if (!answer) {
        refuse(intakes, in, err);
        return;
    }
    drop(intakes, in);
    channel->ops->refuse(channel->self, s, stream, err);
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
        struct channel_fed fed;
        bool fin = false;
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
        int err = feed(intakes, in, sp.block->data + sp.offset, len, &fed);
        stream_consume(intakes->turn->ep, intakes->turn->now_us, s, in->stream, fed.used);
        progress(intakes, in, fed.used);
        if (!err && !room_for_bytes(intakes, in)) {
            intakes->refusals++;
            err = ERR_FULL;
        }
        if (err) {
            failed(intakes, in, err, fed.answer);
            return;
        }
        if (fed.whole) {
            intakes->step_bytes += INTAKE_WHOLE_BYTES;
            hand_over(intakes, in);
            return;
        }
    }
}

void intake_opened(struct intakes *intakes, struct session_ref s, uint64_t stream) {
    if (!contact_by_session(intakes->contacts, s)) {
        give_up(intakes, s, stream, ERR_CLOSED);
        return;
    }
    struct intake *in = mem_calloc(1, sizeof *in);
    struct intake_share *share = in ? share_of(intakes, s) : NULL;
    if (share)
        in->handle = handle_new(&intakes->handles, in);
    if (!share || !in->handle || !room_for_one(intakes, share)) {
        if (in)
            handle_drop(&intakes->handles, in->handle);
        mem_free(in);
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
    stream_set_owner(intakes->turn->ep, s, stream, owner_pack(intakes->part, in->handle));
    take_in(intakes, in);
}

/* An event of a stream that is gathered here. */
static bool stream_event(void *self, struct contact *c, const struct ep_event *ev) {
    struct intakes *intakes = self;
    (void)c;
    struct intake *in = owner_part(ev->owner) == intakes->part
                            ? handle_get(&intakes->handles, owner_ref(ev->owner))
                            : NULL;
    if (!in)
        return false;
    if (ev->kind == EP_STREAM_READABLE)
        take_in(intakes, in);
    else if (ev->kind == EP_STREAM_RESET)
        refuse(intakes, in, ERR_RESET);
    return true;
}

static void session_down(struct intakes *intakes, struct session_ref s) {
    for (struct intake *in = intakes->head, *next; in; in = next) {
        next = in->next;
        if (session_ref_equal(in->share->session, s))
            drop(intakes, in);
    }
}

/* ---- time ---- */
static uint64_t deadline_us(const void *self) {
    const struct intakes *intakes = self;
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

static void timeout(void *self) {
    struct intakes *intakes = self;
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

/* ---- as a part of the node (node/base/part.h) ---- */
static void clear(void *self) {
    struct intakes *intakes = self;
    while (intakes->head)
        drop(intakes, intakes->head);
    handles_clear(&intakes->handles);
}

static void peer_down(void *self, struct contact *c, int err) {
    (void)err;
    session_down(self, c->peering->session);
}

static void contact_gone(void *self, struct contact *c) {
    if (c->peering->online)
        session_down(self, c->peering->session);
}

const struct part_ops intakes_part = {.clear = clear,
                                      .deadline_us = deadline_us,
                                      .timeout = timeout,
                                      .peer_down = peer_down,
                                      .contact_gone = contact_gone,
                                      .stream_event = stream_event};
