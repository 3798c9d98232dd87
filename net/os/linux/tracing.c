/* tracing.c: Linux: who may not be dumped may not be traced by other processes of the user. */
#include <sys/prctl.h>

#include "net/os/process.h"

void process_forbid_tracing(void) {
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
