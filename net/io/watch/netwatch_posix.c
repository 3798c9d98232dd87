/* netwatch_posix.c: POSIX tells nothing of addresses and sleep: they are looked at. */
#include "net/io/watch/netwatch_impl.h"

bool netwatch_native_open(struct netwatch *w, uv_loop_t *loop) {
    (void)w;
    (void)loop;
    return false;
}

void netwatch_native_close(struct netwatch *w) {
    (void)w;
}
