#include "net/session/session.h"
#include <assert.h>

#include <sodium.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"

static_assert(SMALL_PER_SESSION_MAX <= UINT8_MAX && CONFIRM_TRIES <= UINT8_MAX &&
                  SMALL_RECORDS_PER_SESSION_MAX <= UINT8_MAX,
              "a session counts them in a byte");

size_t session_seal(struct session *s, struct aead *a, uint64_t counter, uint8_t *buf, size_t len) {
    const struct keygen *g = &s->keys.current;
    buf[0] = PACKET_DATA;
    buf[1] = g->epoch;
    store_le16(buf + 2, 0);
    store_le32(buf + 4, s->remote_index);
    store_le64(buf + 8, counter);
    aead_seal(a, g->suite, &g->send, g->send_id, counter, buf, DATA_HEADER_BYTES,
              buf + DATA_HEADER_BYTES, len);
    return len + DATA_OVERHEAD_BYTES;
}

bool session_open(struct session *s, struct aead *a, uint64_t now_us, uint8_t *buf, size_t len,
                  uint64_t *counter, struct keygen **gen, bool *replayed) {
    *replayed = false;
    if (len < DATA_OVERHEAD_BYTES || load_le16(buf + 2) != 0)
        return false;
    struct keygen *g = keys_for_epoch(&s->keys, buf[1], now_us);
    if (!g)
        return false;
    *counter = load_le64(buf + 8);
    if (*counter > VARINT_MAX) /* no ACK could name it */
        return false;
    if (!replay_check(&s->replay, *counter)) {
        *replayed = true;
        return false;
    }
    if (!aead_open(a, g->suite, &g->recv, g->recv_id, *counter, buf, DATA_HEADER_BYTES,
                   buf + DATA_HEADER_BYTES, len - DATA_HEADER_BYTES))
        return false;
    replay_mark(&s->replay, *counter);
    *gen = g;
    return true;
}

/* The first round trip of a session, so that its transport need not guess. */
void session_sample_rtt(struct session *s, uint64_t now_us, uint64_t sent_us) {
    if (sent_us == 0 || s->memo.has_rtt)
        return;
    rtt_init(&s->memo.rtt);
    rtt_sample(&s->memo.rtt, now_us - sent_us, 0);
    s->memo.has_rtt = true;
}

void session_drop_hs_out(struct session *s) {
    if (!s->hs_out)
        return;
    noise_clear(&s->hs_out->noise);
    sodium_memzero(s->hs_out, sizeof *s->hs_out);
    mem_free(s->hs_out);
    s->hs_out = NULL;
}

void session_drop_hs_in(struct session *s) {
    if (!s->hs_in)
        return;
    sodium_memzero(s->hs_in, sizeof *s->hs_in);
    mem_free(s->hs_in);
    s->hs_in = NULL;
}

void session_attached(struct session *s) {
    struct replay_room *room = s->tp && !s->replay.room ? mem_alloc(sizeof *room) : NULL;
    if (room)
        replay_widen(&s->replay, room);
}

void session_detach(struct session *s) {
    transport_free(s->tp);
    s->tp = NULL;
    mem_free(replay_narrow(&s->replay));
}

void session_free(struct session *s, struct aead *a) {
    session_drop_hs_out(s);
    session_drop_hs_in(s);
    session_detach(s);
    paths_clear(&s->paths);
    keys_clear(&s->keys, a);
    sodium_memzero(s, sizeof *s);
    mem_free(s);
}
