#include "node/base/part.h"

#include <assert.h>

#include "node/base/owner.h"
#include "node/disk/file_op.h"

static void note(struct parts_with *with, unsigned part, bool has) {
    if (has)
        with->at[with->count++] = (uint8_t)part;
}

unsigned parts_add(struct parts *parts, const struct part_ops *ops, void *self) {
    assert(parts->count < PARTS_MAX);
    note(&parts->deadline, parts->count, ops->deadline_us != NULL);
    note(&parts->wanted, parts->count, ops->wanted != NULL);
    note(&parts->waits, parts->count, ops->waits != NULL);
    parts->list[parts->count++] = (struct part){ops, self};
    return parts->count;
}

/* ---- one ---- */
const struct part *parts_owner(const struct parts *parts, uint64_t owner) {
    const unsigned part = owner_part(owner);
    return part > 0 && part <= parts->count ? &parts->list[part - 1] : NULL;
}

void parts_op_done(const struct parts *parts, struct file_op *op) {
    const struct part *p = parts_owner(parts, op->owner);
    assert(p && p->ops->op_done);
    p->ops->op_done(p->self, op);
}

/* ---- first to last ---- */
int parts_load(const struct parts *parts) {
    int err = 0;
    for (unsigned i = 0; !err && i < parts->count; i++)
        if (parts->list[i].ops->load)
            err = parts->list[i].ops->load(parts->list[i].self);
    return err;
}

uint64_t parts_deadline_us(const struct parts *parts) {
    uint64_t first_us = UINT64_MAX;
    for (unsigned i = 0; i < parts->deadline.count; i++) {
        const struct part *p = &parts->list[parts->deadline.at[i]];
        const uint64_t at_us = p->ops->deadline_us(p->self);
        first_us = at_us < first_us ? at_us : first_us;
    }
    return first_us;
}

void parts_timeout(const struct parts *parts) {
    for (unsigned i = 0; i < parts->count; i++)
        if (parts->list[i].ops->timeout)
            parts->list[i].ops->timeout(parts->list[i].self);
}

bool parts_wait(const struct parts *parts, const struct contact *c) {
    bool any = false;
    for (unsigned i = 0; !any && i < parts->waits.count; i++) {
        const struct part *p = &parts->list[parts->waits.at[i]];
        any = p->ops->waits(p->self, c);
    }
    return any;
}

void parts_retry(const struct parts *parts, struct contact *c) {
    for (unsigned i = 0; i < parts->count; i++)
        if (parts->list[i].ops->retry)
            parts->list[i].ops->retry(parts->list[i].self, c);
}

void parts_renamed(const struct parts *parts, const struct contact *c) {
    for (unsigned i = 0; i < parts->count; i++)
        if (parts->list[i].ops->renamed)
            parts->list[i].ops->renamed(parts->list[i].self, c);
}

bool parts_stream_event(const struct parts *parts, struct contact *c, const struct ep_event *ev) {
    bool taken = false;
    const struct part *owner = parts_owner(parts, ev->owner);
    if (owner)
        return owner->ops->stream_event && owner->ops->stream_event(owner->self, c, ev);
    for (unsigned i = 0; !taken && i < parts->count; i++)
        if (parts->list[i].ops->stream_event)
            taken = parts->list[i].ops->stream_event(parts->list[i].self, c, ev);
    return taken;
}

void parts_peer_up(const struct parts *parts, struct peering *p, struct contact *c) {
    for (unsigned i = 0; i < parts->count; i++) {
        const struct part *at = &parts->list[i];
        if (at->ops->session_up)
            at->ops->session_up(at->self, p);
        if (at->ops->peer_up && c)
            at->ops->peer_up(at->self, c);
    }
}

bool parts_wanted(const struct parts *parts, struct peering *p) {
    bool ways = false;
    for (unsigned i = 0; i < parts->wanted.count; i++) {
        const struct part *at = &parts->list[parts->wanted.at[i]];
        ways |= at->ops->wanted(at->self, p);
    }
    return ways;
}

void parts_network_changed(const struct parts *parts) {
    for (unsigned i = 0; i < parts->count; i++)
        if (parts->list[i].ops->network_changed)
            parts->list[i].ops->network_changed(parts->list[i].self);
}

void parts_ways_changed(const struct parts *parts, struct contact *c) {
    for (unsigned i = 0; i < parts->count; i++)
        if (parts->list[i].ops->ways_changed)
            parts->list[i].ops->ways_changed(parts->list[i].self, c);
}

void parts_resolved(const struct parts *parts, const char *host, const struct addr *addrs,
                    unsigned count) {
    for (unsigned i = 0; i < parts->count; i++)
        if (parts->list[i].ops->resolved)
            parts->list[i].ops->resolved(parts->list[i].self, host, addrs, count);
}

/* ---- last to first ---- */
static void contact_gone(const struct parts *parts, unsigned count, struct contact *c) {
    for (unsigned i = count; i-- > 0;)
        if (parts->list[i].ops->contact_gone)
            parts->list[i].ops->contact_gone(parts->list[i].self, c);
}

int parts_contact_new(const struct parts *parts, struct contact *c) {
    int err = 0;
    unsigned i = 0;
    for (; !err && i < parts->count; i++)
        if (parts->list[i].ops->contact_new)
            err = parts->list[i].ops->contact_new(parts->list[i].self, c);
    if (err)
        contact_gone(parts, i - 1, c);
    return err;
}

void parts_peer_down(const struct parts *parts, struct peering *p, struct contact *c, int err) {
    for (unsigned i = parts->count; i-- > 0;) {
        const struct part *at = &parts->list[i];
        if (at->ops->peer_down && c)
            at->ops->peer_down(at->self, c, err);
        if (at->ops->session_down)
            at->ops->session_down(at->self, p, err);
    }
}

void parts_connect_failed(const struct parts *parts, struct peering *p, struct contact *c,
                          int err) {
    for (unsigned i = parts->count; i-- > 0;) {
        const struct part *at = &parts->list[i];
        if (at->ops->connect_failed && c)
            at->ops->connect_failed(at->self, c, err);
        if (at->ops->not_connected)
            at->ops->not_connected(at->self, p, err);
    }
}

uint64_t parts_peer_silent(const struct parts *parts, struct peering *p, struct contact *c,
                           uint64_t before_us) {
    uint64_t first_us = UINT64_MAX;
    for (unsigned i = parts->count; i-- > 0;) {
        const struct part *at = &parts->list[i];
        uint64_t at_us = UINT64_MAX;
        if (at->ops->peer_silent && c)
            at_us = at->ops->peer_silent(at->self, c, before_us);
        first_us = at_us < first_us ? at_us : first_us;
        if (at->ops->silent)
            at_us = at->ops->silent(at->self, p, before_us);
        first_us = at_us < first_us ? at_us : first_us;
    }
    return first_us;
}

void parts_peer_gone(const struct parts *parts, struct peering *p) {
    for (unsigned i = parts->count; i-- > 0;)
        if (parts->list[i].ops->peer_gone)
            parts->list[i].ops->peer_gone(parts->list[i].self, p);
}

void parts_clear(const struct parts *parts) {
    for (unsigned i = parts->count; i-- > 0;)
        if (parts->list[i].ops->clear)
            parts->list[i].ops->clear(parts->list[i].self);
}

void parts_shutdown(const struct parts *parts) {
    for (unsigned i = parts->count; i-- > 0;)
        if (parts->list[i].ops->shutdown)
            parts->list[i].ops->shutdown(parts->list[i].self);
}

int parts_contact_void(const struct parts *parts, const struct contact *c) {
    int err = 0;
    for (unsigned i = parts->count; !err && i-- > 0;)
        if (parts->list[i].ops->contact_void)
            err = parts->list[i].ops->contact_void(parts->list[i].self, c);
    return err;
}

void parts_contact_gone(const struct parts *parts, struct contact *c) {
    contact_gone(parts, parts->count, c);
}
