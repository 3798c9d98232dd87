#include "node/mesh/told.h"

#include "crypto/base/bytes.h"

size_t told_write(const struct mesh_told *t, uint8_t *out, size_t cap) {
    uint8_t at[RELAY_ADDR_WIRE_MAX];
    struct wr w = wr_init(out, cap);
    uint8_t count = 0;
    wr_u8(&w, TOLD_KIND);
    wr_u8(&w, (uint8_t)t->op);
    wr_u32(&w, t->sequence);
    if (t->op == TOLD_HEARD)
        return wr_len(&w);
    const size_t count_at = wr_len(&w);
    wr_u8(&w, 0);
    for (unsigned i = 0; i < t->homes.count; i++) {
        const size_t bytes = relay_addr_write(&t->homes.list[i], at);
        if (bytes == 0 || wr_len(&w) + 2 + bytes > cap)
            continue;
        wr_u16(&w, t->rtt_ms[i]);
        wr_bytes(&w, at, bytes);
        count++;
    }
    out[count_at] = count;
    return wr_len(&w);
}

bool told_read(struct mesh_told *t, const uint8_t *data, size_t len) {
    const char *wrong;
    struct rd r = rd_init(data, len);
    *t = (struct mesh_told){0};
    if (rd_u8(&r) != TOLD_KIND)
        return false;
    const uint8_t op = rd_u8(&r);
    t->sequence = rd_u32(&r);
    if (op == TOLD_HEARD) {
        t->op = TOLD_HEARD;
        return r.ok && rd_left(&r) == 0;
    }
    const uint8_t count = rd_u8(&r);
    if (op != TOLD_HOMES || !r.ok || count > RELAY_SET_MAX)
        return false;
    t->op = TOLD_HOMES;
    for (uint8_t i = 0; i < count; i++) {
        struct relay_addr a;
        t->rtt_ms[i] = rd_u16(&r);
        const size_t left = rd_left(&r);
        const size_t bytes = r.ok ? relay_addr_read(&a, data + (len - left), left, &wrong) : 0;
        if (bytes == 0 || !relay_set_add(&t->homes, &a))
            return false;
        (void)rd_take(&r, bytes);
    }
    return r.ok && rd_left(&r) == 0;
}
