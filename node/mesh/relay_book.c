#include "node/mesh/relay_book.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"
#include "crypto/base/rng.h"

static const char table[] = "relays";

enum { RELAY_VALUE_VERSION = 1, RELAY_VALUE_BYTES = 1 + 32 + 8 };

/* ---- states ---- */
static const char *const names[RELAY_STATES] = {
    "unknown", "resolving", "asking_key", "wrong_key", "connecting",
    "up",      "reserved",  "silent",     "refused",   "restarting"};

const char *relay_state_name(enum relay_state s) {
    return names[s];
}

#define TO(state) (1u << (state))

/* A relay may come to us, so a session may be up out of any state; and nobody may need it any more.
 */
static const uint16_t follows[RELAY_STATES] = {
    [RELAY_IS_UNKNOWN] = TO(RELAY_IS_RESOLVING) | TO(RELAY_IS_ASKING_KEY) | TO(RELAY_IS_CONNECTING),
    [RELAY_IS_RESOLVING] = TO(RELAY_IS_ASKING_KEY) | TO(RELAY_IS_CONNECTING) | TO(RELAY_IS_SILENT),
    [RELAY_IS_ASKING_KEY] = TO(RELAY_IS_CONNECTING) | TO(RELAY_IS_WRONG_KEY) | TO(RELAY_IS_SILENT),
    [RELAY_IS_WRONG_KEY] = TO(RELAY_IS_CONNECTING) | TO(RELAY_IS_RESOLVING) | TO(RELAY_IS_SILENT),
    [RELAY_IS_CONNECTING] = TO(RELAY_IS_SILENT),
    [RELAY_IS_UP] = TO(RELAY_IS_RESERVED) | TO(RELAY_IS_REFUSED) | TO(RELAY_IS_RESTARTING) |
                    TO(RELAY_IS_SILENT),
    [RELAY_IS_RESERVED] = TO(RELAY_IS_REFUSED) | TO(RELAY_IS_RESTARTING) | TO(RELAY_IS_SILENT),
    [RELAY_IS_SILENT] = TO(RELAY_IS_RESOLVING) | TO(RELAY_IS_ASKING_KEY) | TO(RELAY_IS_CONNECTING),
    [RELAY_IS_REFUSED] = TO(RELAY_IS_RESERVED) | TO(RELAY_IS_RESTARTING) | TO(RELAY_IS_SILENT),
    [RELAY_IS_RESTARTING] = TO(RELAY_IS_RESERVED) | TO(RELAY_IS_REFUSED) | TO(RELAY_IS_SILENT),
};

void relay_enter(struct relay *r, uint64_t now_us, enum relay_state to, const char *why) {
    assert(to == r->state || to == RELAY_IS_UP || to == RELAY_IS_UNKNOWN ||
           (follows[r->state] & TO(to)));
    if (to != r->state)
        r->since_us = now_us;
    r->state = to;
    r->why = why;
}

/* ---- how it is ---- */
void relay_measured(struct relay *r, uint64_t now_us, uint64_t rtt_us) {
    if (rtt_us == 0)
        rtt_us = 1;
    r->rtt_us = r->rtt_us ? (3 * r->rtt_us + rtt_us) / 4 : rtt_us;
    r->measured_us = now_us;
}

void relay_echoed(struct relay *r, bool back) {
    r->lost_percent = (uint8_t)((7u * r->lost_percent + (back ? 0u : 100u)) / 8);
}

/* ---- the table ---- */
struct relay *relay_by_id(const struct relay_book *book, const struct node_id *id) {
    for (unsigned i = 0; i < book->count; i++)
        if (node_id_equal(&book->list[i]->at.id, id))
            return book->list[i];
    return NULL;
}

struct relay *relay_by_serial(const struct relay_book *book, uint32_t serial) {
    for (unsigned i = 0; i < book->count; i++)
        if (book->list[i]->serial == serial)
            return book->list[i];
    return NULL;
}

struct relay *relay_by_peering(const struct relay_book *book, const struct peering *p) {
    for (unsigned i = 0; i < book->count; i++)
        if (book->list[i]->peering == p)
            return book->list[i];
    return NULL;
}

static bool may_go(const struct relay *r) {
    return !r->named && !r->home && r->users == 0 && !r->peering;
}

static int make_room(struct relay_book *book) {
    struct relay *oldest = NULL;
    if (book->count < RELAYS_KNOWN_MAX)
        return 0;
    for (unsigned i = 0; i < book->count; i++) {
        struct relay *r = book->list[i];
        if (may_go(r) && (!oldest || r->used_us < oldest->used_us))
            oldest = r;
    }
    if (!oldest)
        return ERR_FULL;
    relay_book_drop(book, oldest);
    return 0;
}

void relay_book_drop(struct relay_book *book, struct relay *r) {
    unsigned i = 0;
    assert(!r->peering && r->users == 0);
    while (book->list[i] != r)
        i++;
    book->list[i] = book->list[--book->count];
    mem_free(r);
}

void relay_book_clear(struct relay_book *book) {
    for (unsigned i = 0; i < book->count; i++)
        mem_free(book->list[i]);
    mem_free(book->list);
    book->list = NULL;
    book->count = book->cap = 0;
}

static void set_addr(struct relay *r, uint64_t now_us, const struct relay_addr *at) {
    r->at = *at;
    r->place_count = r->place = 0;
    if (at->at.kind != ADDR_NONE)
        r->places[r->place_count++] = at->at;
    r->asking = false;
    r->due_us = now_us;
}

static void read_key(struct relay_book *book, struct relay *r) {
    uint8_t value[RELAY_VALUE_BYTES];
    size_t len = 0;
    if (keep_get(book->keep, table, r->at.id.bytes, sizeof r->at.id.bytes, value, sizeof value,
                 &len) != 0)
        return;
    struct rd in = rd_init(value, len);
    const bool version = rd_u8(&in) == RELAY_VALUE_VERSION;
    struct dh_public key;
    rd_bytes(&in, key.bytes, sizeof key.bytes);
    const uint64_t seq = rd_u64(&in);
    if (!version || !in.ok || rd_left(&in) != 0)
        return;
    r->transport = key;
    r->cert_seq = seq;
    r->has_key = true;
}

static int add(struct relay_book *book, const struct relay_addr *at, struct relay **out) {
    const int err = make_room(book);
    if (err)
        return err;
    const bool room =
        mem_grow(&book->list, &book->cap, book->count + 1, sizeof *book->list, RELAYS_KNOWN_MAX);
    struct relay *r = room ? mem_calloc(1, sizeof *r) : NULL;
    if (!r)
        return ERR_NOMEM;
    r->serial = ++book->last_serial;
    r->draw = (uint32_t)rng_u64(&book->turn->env.rng);
    r->why = "nobody has needed it yet";
    r->since_us = book->turn->now_us;
    set_addr(r, book->turn->now_us, at);
    r->due_us = UINT64_MAX;
    read_key(book, r);
    book->list[book->count++] = *out = r;
    return 0;
}

/* Another address of it than the one known. What a contact says of a home counts only once that has
 * not answered for long. */
static bool may_move(const struct relay *r, bool named) {
    if (named)
        return true;
    return !r->named && !relay_is_up(r) && r->state != RELAY_IS_CONNECTING &&
           (!r->home || r->pause_us >= RELAY_MOVES_US);
}

int relay_book_take(struct relay_book *book, const struct relay_addr *at, bool named,
                    struct relay **out) {
    struct relay *r = relay_by_id(book, &at->id);
    if (node_id_equal(&at->id, &book->turn->id))
        return ERR_USAGE;
    if (!r) {
        const int err = add(book, at, &r);
        if (err)
            return err;
    } else if (!relay_addr_equal(&r->at, at) && may_move(r, named)) {
        set_addr(r, book->turn->now_us, at);
        if (!relay_is_up(r))
            relay_enter(r, book->turn->now_us, RELAY_IS_UNKNOWN, "its address is another now");
    }
    r->named |= named;
    r->used_us = book->turn->now_us;
    *out = r;
    return 0;
}

void relay_book_key(struct relay_book *book, struct relay *r, const struct dh_public *transport,
                    uint64_t cert_seq) {
    uint8_t value[RELAY_VALUE_BYTES];
    const bool news = !r->has_key || r->cert_seq != cert_seq ||
                      memcmp(r->transport.bytes, transport->bytes, sizeof transport->bytes) != 0;
    r->doubted = false;
    if (!news)
        return;
    r->transport = *transport;
    r->cert_seq = cert_seq;
    r->has_key = true;
    struct wr w = wr_init(value, sizeof value);
    wr_u8(&w, RELAY_VALUE_VERSION);
    wr_bytes(&w, transport->bytes, sizeof transport->bytes);
    wr_u64(&w, cert_seq);
    const int err =
        keep_put(book->keep, table, r->at.id.bytes, sizeof r->at.id.bytes, value, wr_len(&w));
    if (err) /* it is asked for once more after a restart */
        turn_log(book->turn, LOG_DEBUG, "the key of a relay was not stored: %s", err_text(err));
}
