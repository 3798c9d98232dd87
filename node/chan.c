#include "node/chan.h"

#include <stdlib.h>
#include <string.h>

#include "node/blob.h"
#include "node/core.h"
#include "node/file_recv.h"
#include "node/letter.h"

struct intake {
    struct intake *next;
    struct session_ref session;
    uint64_t stream;
    struct varint_in head;
    uint64_t channel; /* 0: not known yet */
    struct blob_in body;
};

static void give_up(struct node *n, struct session_ref s, uint64_t stream, int err) {
    int gone = stream_reset(n->ep, s, stream, err);
    gone = stream_stop(n->ep, s, stream, err);
    (void)gone;
}

static struct intake **find(struct node *n, struct session_ref s, uint64_t stream) {
    struct intake **at = &n->intakes.head;
    while (*at && !((*at)->stream == stream && session_ref_equal((*at)->session, s)))
        at = &(*at)->next;
    return at;
}

static void drop(struct node *n, struct intake **at) {
    struct intake *in = *at;
    *at = in->next;
    n->intakes.count--;
    n->intakes.bytes -= in->body.cap;
    blob_in_clear(&in->body);
    free(in);
}

void chan_opened(struct node *n, struct session_ref s, uint64_t stream) {
    unsigned same = 0;
    for (const struct intake *i = n->intakes.head; i; i = i->next)
        same += session_ref_equal(i->session, s);
    bool full = n->intakes.count >= INTAKES_MAX || same >= INTAKES_MAX_PER_CONTACT;
    struct intake *in = full ? NULL : calloc(1, sizeof *in);
    if (!in || !contact_by_session(n, s)) {
        free(in);
        give_up(n, s, stream, full ? ERR_FULL : ERR_CLOSED);
        return;
    }
    in->session = s;
    in->stream = stream;
    in->next = n->intakes.head;
    n->intakes.head = in;
    n->intakes.count++;
    chan_readable(n, s, stream);
}

/* The channel is known: how long its first blob may be. ERR_UNSUPPORTED. */
static int begin(struct intake *in) {
    if (in->channel == CHAN_FILE)
        blob_in_init(&in->body, MANIFEST_MAX_BYTES);
    else if (in->channel == CHAN_MESSAGE)
        blob_in_init(&in->body, LETTER_MAX_BYTES);
    else
        return ERR_UNSUPPORTED;
    return 0;
}

static int feed(struct node *n, struct intake *in, const uint8_t *p, size_t len, size_t *used) {
    *used = 0;
    if (in->channel == 0) {
        if (!varint_in_feed(&in->head, p, len, used, &in->channel))
            return 0;
        int err = begin(in);
        if (err)
            return err;
    }
    size_t more = 0, cap = in->body.cap;
    int err = blob_in_feed(&in->body, p + *used, len - *used, &more);
    *used += more;
    n->intakes.bytes += in->body.cap - cap;
    return !err && n->intakes.bytes > INTAKE_BYTES_MAX ? ERR_FULL : err;
}

/* Whole: the stream is its channel's from now on. */
static void hand_over(struct node *n, struct intake **at) {
    struct intake *in = *at;
    struct contact *c = contact_by_session(n, in->session);
    if (!c)
        give_up(n, in->session, in->stream, ERR_CLOSED);
    else if (in->channel == CHAN_FILE)
        file_recv_offer(n, c, in->session, in->stream, in->body.buf, in->body.len);
    else
        message_come(n, c, in->session, in->stream, in->body.buf, in->body.len);
    drop(n, find(n, in->session, in->stream));
}

bool chan_readable(struct node *n, struct session_ref s, uint64_t stream) {
    struct intake **at = find(n, s, stream);
    struct intake *in = *at;
    if (!in)
        return false;
    for (;;) {
        struct span sp;
        bool fin = false;
        size_t used;
        if (stream_peek(n->ep, s, stream, 0, &sp, 1, &fin) == 0) {
            if (fin) {
                give_up(n, s, stream, ERR_PROTO);
                drop(n, at);
            }
            return true;
        }
        int err = feed(n, in, sp.block->data + sp.offset, sp.len, &used);
        stream_consume(n->ep, n->now_us, s, stream, used);
        if (err) {
            give_up(n, s, stream, err);
            drop(n, at);
            return true;
        }
        if (in->body.whole) {
            hand_over(n, at);
            return true;
        }
    }
}

bool chan_reset(struct node *n, struct session_ref s, uint64_t stream) {
    struct intake **at = find(n, s, stream);
    if (!*at)
        return false;
    give_up(n, s, stream, ERR_RESET);
    drop(n, at);
    return true;
}

void chan_session_down(struct node *n, struct session_ref s) {
    for (struct intake **at = &n->intakes.head; *at;) {
        if (session_ref_equal((*at)->session, s))
            drop(n, at);
        else
            at = &(*at)->next;
    }
}

void chan_clear(struct node *n) {
    while (n->intakes.head)
        drop(n, &n->intakes.head);
}
