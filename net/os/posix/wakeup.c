/* wakeup.c: POSIX's timers speak by signals, which is no use in a loop: there is none. */
#include "net/os/wakeup.h"

#include <errno.h>

int wakeup_open(void) {
    errno = ENOSYS;
    return -1;
}

void wakeup_set(int wakeup, uint64_t deadline_us) {
    (void)wakeup;
    (void)deadline_us;
}

bool wakeup_expired(int wakeup) {
    (void)wakeup;
    return false;
}

void wakeup_close(int wakeup) {
    (void)wakeup;
}
