/* endpoint_renew.c: new keys for a session, as early as what is to be sent by them deserves it. */
#include "net/handshake_int.h"

void endpoint_maybe_rekey(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (rekey_due(s, e->rekey_us, now_us) && handshake_rekey(e, s, now_us)) {
        /* No memory: tried again with the next packet. */
    }
}

void endpoint_renew_if_must(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (!keys_may_send(&s->keys, now_us, s->send_counter))
        endpoint_maybe_rekey(e, s, now_us);
}

void endpoint_renew(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (s->peer->keepalive_us > 0)
        endpoint_renew_if_must(e, s, now_us);
    else
        endpoint_maybe_rekey(e, s, now_us);
}

uint64_t session_keys_left_us(const struct endpoint *e, uint64_t now_us, struct session_ref r) {
    const struct session *s = endpoint_find(e, r);
    if (!s || !keys_may_send(&s->keys, now_us, s->send_counter))
        return 0;
    return s->keys.current.born_us + KEYS_REJECT_US - now_us;
}

bool session_renew(struct endpoint *e, uint64_t now_us, struct session_ref r) {
    struct session *s = endpoint_find(e, r);
    if (!s)
        return false;
    endpoint_renew_if_must(e, s, now_us);
    endpoint_reap(e);
    return s->hs_out != NULL;
}
