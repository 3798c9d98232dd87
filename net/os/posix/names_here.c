/* names_here.c: whose rules hold on this system. */
#include "net/os/names.h"

bool os_name_ok(const char *name, size_t len) {
    return os_name_ok_posix(name, len);
}
