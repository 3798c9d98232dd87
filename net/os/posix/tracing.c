/* tracing.c: POSIX has no word for it. */
#include "net/os/process.h"

void process_forbid_tracing(void) {
}
