/* wakeup.c: Linux's timerfd. */
#include "net/os/wakeup.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int wakeup_open(void) {
    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

void wakeup_set(int wakeup, uint64_t deadline_us) {
    struct itimerspec when = {0}; /* all zeroes disarms */
    if (deadline_us != WAKEUP_NEVER) {
        when.it_value.tv_sec = (time_t)(deadline_us / 1000000);
        when.it_value.tv_nsec = (long)(deadline_us % 1000000) * 1000;
        if (deadline_us == 0)
            when.it_value.tv_nsec = 1;
    }
    (void)timerfd_settime(wakeup, TFD_TIMER_ABSTIME, &when, NULL);
}

bool wakeup_expired(int wakeup) {
    uint64_t count;
    return read(wakeup, &count, sizeof count) == sizeof count;
}

void wakeup_close(int wakeup) {
    close(wakeup);
}
