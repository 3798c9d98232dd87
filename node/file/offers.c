#include "node/file/offers.h"

#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/disk/file_queue.h"
#include "node/file/file_recv.h"
#include "node/file/transfer.h"

struct holding {
    unsigned count;
    size_t bytes;
};

/* What has ended keeps its place and its names until its last operation is back: so nobody fills the
 * table by breaking off one after the other while a disk is slow. */
static struct holding holding_of(const struct transfers *files, uint32_t contact, bool all) {
    struct holding h = {0};
    for (unsigned i = 0; i < files->count; i++) {
        const struct transfer *t = files->list[i];
        if (t->info.outgoing || (transfer_ended(t) && t->ops_out == 0) ||
            !(all || t->contact == contact))
            continue;
        h.count++;
        h.bytes += t->manifest.held_bytes;
    }
    return h;
}

/* How readily it gives way; 0: not at all. */
static int readiness(const struct transfers *files, const struct transfer *t, bool moving_too) {
    if (t->info.outgoing || transfer_ended(t))
        return 0;
    if (file_recv_waits(t))
        return 3;
    return file_recv_stalls(files, t) ? 2 : moving_too;
}

/* The one that gives way: of the contact that holds most, an offer that waits before a transfer
 * that has stopped, the newest before older ones. NULL: nobody holds more than `own`. */
static struct transfer *victim(struct transfers *files, struct holding own, bool bytes,
                               bool moving_too) {
    struct transfer *v = NULL;
    struct holding most = own;
    int readiest = 0;
    most.count++; /* as many as the one that asks will have are no reason */
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        const int ready = readiness(files, t, moving_too);
        if (!ready)
            continue;
        const struct holding h = holding_of(files, t->contact, false);
        const bool more = bytes ? h.bytes > most.bytes : h.count > most.count;
        const bool same = v && (bytes ? h.bytes == most.bytes : h.count == most.count);
        if (!more && !(same && ready >= readiest))
            continue;
        v = t;
        readiest = ready;
        most = h;
    }
    return v;
}

int offers_make_room(struct transfers *files, const struct contact *c, size_t bytes) {
    struct holding own = holding_of(files, c->serial, false);
    const bool has_none = own.count == 0;
    own.bytes += bytes;
    if (own.count >= OFFERS_MAX_PER_CONTACT)
        return turn_met(files->turn, LIMIT_OFFERS_CONTACT, OFFERS_MAX_PER_CONTACT);
    if (own.bytes > OFFERS_BYTES_MAX_PER_CONTACT)
        return turn_met(files->turn, LIMIT_OFFER_BYTES_CONTACT, OFFERS_BYTES_MAX_PER_CONTACT);
    /* Who gives way may have operations out, and is not waited for. */
    struct holding all = holding_of(files, 0, true);
    for (;;) {
        const bool many = all.count >= OFFERS_MAX;
        if (!many && all.bytes + bytes <= OFFERS_BYTES_MAX)
            return 0;
        struct transfer *v = victim(files, own, !many, false);
        if (!v && has_none)
            v = victim(files, own, !many, true);
        const int met = many ? turn_met(files->turn, LIMIT_OFFERS, OFFERS_MAX)
                             : turn_met(files->turn, LIMIT_OFFER_BYTES, OFFERS_BYTES_MAX);
        if (!v)
            return met;
        all.count--;
        all.bytes -= v->manifest.held_bytes;
        transfer_abort(files, v, met, NULL);
    }
}
