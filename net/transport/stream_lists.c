/* stream_lists.c: which streams have something to send, bytes or control frames, and in which order
 * they do. */
#include "net/transport/transport.h"

/* One list per priority, served in turn. */
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
    if (!list_has(&s->active) && sendable(t, s))
        list_add(&t->active[s->priority], &s->active);
}

void transport_deactivate(struct transport *t, struct stream *s) {
    list_remove(&t->active[s->priority], &s->active);
}

void transport_want_ctl(struct transport *t, struct stream *s) {
    if (!list_has(&s->ctl))
        list_add(&t->ctl, &s->ctl);
}

void transport_drop_ctl(struct transport *t, struct stream *s) {
    list_remove(&t->ctl, &s->ctl);
}
