/* transfer_list.c: transfers as they are seen from outside: looking at them, and ending them. */
#include "node/file/transfer.h"

int transfer_cancel(struct transfers *files, uint64_t id) {
    struct transfer *t = transfer_by_id(files, id);
    if (!t || !t->reported)
        return ERR_NOT_FOUND;
    if (transfer_ended(t))
        return ERR_USAGE;
    transfer_abort(files, t, ERR_CANCELLED, NULL);
    return 0;
}

void transfer_abandon(struct transfers *files, uint64_t id) {
    struct transfer *t = transfer_by_id(files, id);
    if (t)
        transfer_abort(files, t, ERR_CANCELLED, "what sent it was ended");
}

bool transfer_at(const struct transfers *files, unsigned i, struct transfer_info *out) {
    for (unsigned at = 0; at < files->count; at++) {
        if (!files->list[at]->reported || i-- > 0)
            continue;
        *out = files->list[at]->info;
        return true;
    }
    return false;
}

bool transfer_get(const struct transfers *files, uint64_t id, struct transfer_info *out) {
    const struct transfer *t = transfer_by_id(files, id);
    if (!t || !t->reported)
        return false;
    *out = t->info;
    return true;
}

const char *transfer_file(const struct transfers *files, uint64_t id, uint32_t i, uint64_t *size) {
    const struct transfer *t = transfer_by_id(files, id);
    if (!t || i >= t->manifest.count)
        return NULL;
    *size = t->manifest.files[i].size;
    return t->manifest.files[i].name;
}
