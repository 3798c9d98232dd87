/* stream_lists.c: which streams have something to send, bytes or control frames, and in which order they do. */
#include "net/transport/transport.h"

/* ---- who has something to send: circular lists, one per priority, served in turn ---- */

static bool sendable(const struct transport *t, const struct stream *s) {
    uint64_t offset, len;
    bool fin;
    if (!sstream_next(&s->out, &offset, &len, &fin))
        return false;
    /* New bytes also need the session's credit; what was sent once has it already. */
    return offset < s->out.next || len == 0 ||
           t->memo->credit.send_used < t->memo->credit.send_limit;
}

void transport_activate(struct transport *t, struct stream *s) {
    if (s->active || !sendable(t, s))
        return;
    struct stream **head = &t->active[s->priority];
    if (*head) {
        s->active_next = *head;
        s->active_prev = (*head)->active_prev;
        s->active_prev->active_next = s;
        (*head)->active_prev = s;
    } else {
        s->active_next = s->active_prev = s;
        *head = s;
    }
    s->active = true;
}

void transport_deactivate(struct transport *t, struct stream *s) {
    if (!s->active)
        return;
    struct stream **head = &t->active[s->priority];
    if (s->active_next == s) {
        *head = NULL;
    } else {
        s->active_prev->active_next = s->active_next;
        s->active_next->active_prev = s->active_prev;
        if (*head == s)
            *head = s->active_next;
    }
    s->active = false;
    s->active_next = s->active_prev = NULL;
}

void transport_want_ctl(struct transport *t, struct stream *s) {
    if (s->in_ctl)
        return;
    s->in_ctl = true;
    s->ctl_next = NULL;
    s->ctl_prev = t->ctl_tail;
    if (t->ctl_tail)
        t->ctl_tail->ctl_next = s;
    else
        t->ctl_head = s;
    t->ctl_tail = s;
}

void transport_drop_ctl(struct transport *t, struct stream *s) {
    if (!s->in_ctl)
        return;
    if (s->ctl_prev)
        s->ctl_prev->ctl_next = s->ctl_next;
    else
        t->ctl_head = s->ctl_next;
    if (s->ctl_next)
        s->ctl_next->ctl_prev = s->ctl_prev;
    else
        t->ctl_tail = s->ctl_prev;
    s->in_ctl = false;
}
