#include "sim/world/icmp_note.h"

const char *icmp_name(enum icmp_kind k) {
    static const char *const names[ICMP_KINDS] = {"too_big", "no_host", "no_port"};
    return k < ICMP_KINDS ? names[k] : "unknown";
}
