#include "node/people/contact_info.h"

const char *contact_state_name(enum contact_state s) {
    switch (s) {
    case CONTACT_OFFLINE:
        return "offline";
    case CONTACT_CONNECTING:
        return "connecting";
    case CONTACT_IDLE:
        return "idle";
    case CONTACT_SILENT:
        return "silent";
    case CONTACT_ONLINE:
        return "online";
    }
    return "unknown";
}
