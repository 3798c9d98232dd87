#include "node/daemon/os/trouble.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/os/oserr.h"
#include "node/api/quote.h"

/* *place: another place would do as well. */
static const char *remedy(int err, bool *place) {
    *place = false;
    switch (err) {
    case EACCES:
    case EPERM:
        *place = true;
        return "give the user that runs meshd access to it";
    case EROFS:
        *place = true;
        return "mount its file system writable";
    case ENOSPC:
    case EDQUOT:
        *place = true;
        return "free some space on its file system";
    case ENOTDIR:
        *place = true;
        return "something stands where a directory should be: move it away";
    case ENOENT:
        *place = true;
        return "make what is missing of the path";
    case ENAMETOOLONG:
        return "choose a shorter path";
    case ELOOP:
        return "a symbolic link is not followed here: put what it points to in its place";
    case EISDIR:
    case EEXIST:
        return "something else has this name: move it away";
    case EMFILE:
    case ENFILE:
        return "allow more open files (ulimit -n)";
    case EIO:
        return "the disk reports an error: check it, and put a copy of the file back";
    default:
        return "mend that, then start again";
    }
}

int trouble_put(const struct log *log, const char *doing, const char *path, int err,
                const char *option) {
    bool place;
    const char *mend = remedy(err, &place);
    place = place && option;
    log_put(log, LOG_ERROR, "cannot %s %s: %s; %s%s%s", doing, path, strerror(err), mend,
            place ? ", or choose another place with " : "", place ? option : "");
    return oserr(err);
}

void trouble_word(char out[static TROUBLE_WORD_MAX], const char *path) {
    if (!quote_text(out, TROUBLE_WORD_MAX, path))
        snprintf(out, TROUBLE_WORD_MAX, "...");
}
