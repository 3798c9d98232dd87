/* fuzz_hostile.c: what a peer with real keys may do to a live endpoint, at any moment (hostile.h).
 * Each input plays one world: both sides connect, write, read, ping and rekey, while forged packets
 * and handshakes reach either; time passes and jumps. At the end every session is closed and
 * nothing may be left: no memory of streams, no half-open handshake, no timer. */
#include <string.h>

#include "hostile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* From a seed instead of bytes: `steps` of them. */
void hostile_play(uint64_t seed, unsigned steps);

/* ---- what the user of an endpoint does ---- */

static void write_span(struct side *s, struct session_ref r, uint64_t id) {
    struct block *b = block_new(endpoint_blocks(s->ep), STREAM_BLOCK_BYTES);
    if (!b)
        return;
    memset(b->data, 1, 5000);
    b->len = 5000;
    if (stream_write_span(s->ep, r, id, (struct span){b, 0, 5000})) {
        /* Full, or gone. */
    }
    block_put(b);
}

static void use_stream(struct hostile_world *w, struct side *s, struct session_ref r) {
    static const uint8_t bytes[30000];
    struct dice *d = w->dice;
    uint64_t id = s->streams[dice_below(d, HOSTILE_STREAMS)];
    size_t taken;
    int err = 0;
    switch (dice_below(d, 12)) {
    case 5:
        write_span(s, r, id);
        break;
    case 0:
        err = stream_open(s->ep, r, &id);
        if (!err)
            s->streams[s->stream_next++ % HOSTILE_STREAMS] = id;
        break;
    case 1:
        err = stream_finish(s->ep, r, id);
        break;
    case 2:
        err = stream_reset(s->ep, r, id, ERR_CANCELLED);
        break;
    case 3:
        err = stream_stop(s->ep, r, id, ERR_CANCELLED);
        break;
    case 4:
        stream_set_priority(s->ep, r, id, (unsigned)dice_below(d, 8));
        break;
    default:
        err = stream_write(s->ep, r, id, bytes, (size_t)dice_below(d, sizeof bytes), &taken);
        break;
    }
    (void)err; /* each may be refused: the session or the stream may have gone */
}

static void use(struct hostile_world *w, int side) {
    static const uint8_t bytes[DATAGRAM_MAX_BYTES];
    struct dice *d = w->dice;
    struct side *s = &w->side[side];
    struct session_ref r;
    if (!endpoint_session(s->ep, s->peer, &r)) {
        if (s->peer.generation > 0 && endpoint_connect(s->ep, w->now_us, s->peer)) {
            /* No address or no memory: later. */
        }
        return;
    }
    int err = 0;
    switch (dice_below(d, 32)) {
    case 0:
    case 1:
        err = session_ping(s->ep, w->now_us, r, dice_bits(d, 2));
        break;
    case 2:
        err = session_record(s->ep, w->now_us, r, bytes, (size_t)dice_below(d, sizeof bytes));
        break;
    case 3:
        err = session_datagram(s->ep, w->now_us, r, bytes, (size_t)dice_below(d, sizeof bytes),
                               w->now_us + dice_below(d, 100000));
        break;
    case 4:
        err = endpoint_connect(s->ep, w->now_us, s->peer);
        break;
    case 5:
        if (dice_one_in(d, 8))
            endpoint_disconnect(s->ep, w->now_us, r, dice_one_in(d, 2) ? ERR_CLOSED : 0);
        break;
    case 6:
        if (dice_one_in(d, 4)) {
            const struct addr at = hostile_place(w, !side);
            const struct hop to = hop_udp(&at, 0);
            err = session_switch_path(s->ep, w->now_us, r, &to);
        }
        break;
    case 7:
        if (dice_one_in(d, 8))
            endpoint_set_wall(s->ep, w->now_us,
                              UINT64_C(1790000000000000) + dice_below(d, UINT64_C(1) << 48));
        break;
    case 8:
        if (dice_one_in(d, 16)) { /* forgotten, and known again as at first */
            endpoint_peer_remove(s->ep, w->now_us, s->peer);
            hostile_know(w, side, false);
        }
        break;
    case 9:
        endpoint_too_big(s->ep, w->now_us, &w->side[!side].addr, 1000 + dice_below(d, 8000));
        break;
    case 10:
    case 11:
        for (unsigned n = (unsigned)dice_below(d, 16); !err && n > 0; n--)
            err = session_record(s->ep, w->now_us, r, bytes, (size_t)dice_below(d, sizeof bytes));
        break;
    default:
        use_stream(w, s, r);
        break;
    }
    (void)err;
}

/* ---- time ---- */

static void jump(struct hostile_world *w) {
    static const uint32_t seconds[] = {1, 1, 2, 5, 6, 9, 11, 16, 121, 136, 181, 541};
    const uint64_t us =
        seconds[dice_below(w->dice, sizeof seconds / sizeof seconds[0])] * UINT64_C(1000000);
    hostile_advance(w, us + dice_below(w->dice, 1000), dice_one_in(w->dice, 2));
}

/* ---- one step ---- */

static void step(struct hostile_world *w) {
    struct dice *d = w->dice;
    const int side = (int)dice_below(d, 2);
    for (int i = 0; i < 2; i++) { /* a forged answer is there before the true one */
        if (w->side[i].fresh_initiation && dice_one_in(d, 4))
            forge_answers(w, i);
        w->side[i].fresh_initiation = false;
    }
    switch (dice_below(d, 64)) {
    case 0:
        if (dice_one_in(d, 8))
            forge_asks(w, side);
        break;
    case 1:
        if (dice_one_in(d, 8))
            forge_answers(w, side);
        break;
    case 2:
        if (dice_one_in(d, 8))
            forge_retry(w, side);
        break;
    case 3:
        if (dice_one_in(d, 10))
            jump(w);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        use(w, side);
        break;
    case 9:
        forge_mutant(w);
        break;
    case 10: /* lost */
        if (w->wire_count > 0) {
            w->wire_first = (w->wire_first + 1) % HOSTILE_WIRE;
            w->wire_count--;
        }
        break;
    case 11:
    case 12:
    case 13:
    case 14:
        hostile_advance(w, dice_below(d, 30000), true);
        break;
    default:
        if (dice_one_in(d, 3))
            hostile_deliver(w);
        else
            forge_data(w, side);
        break;
    }
    if (w->prompt || dice_one_in(d, 8))
        hostile_pull(w);
}

static void play(struct dice *d, unsigned steps) {
    static struct hostile_world w;
    hostile_begin(&w, d);
    while (steps-- > 0 && !dice_over(d))
        step(&w);
    hostile_end(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct dice d = {.at = data, .end = data + size};
    if (size > 0)
        play(&d, UINT32_MAX);
    return 0;
}

void hostile_play(uint64_t seed, unsigned steps) {
    struct dice d = {.state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1};
    play(&d, steps);
}
