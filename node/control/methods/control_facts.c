#include "node/control/methods/control_facts.h"

#include <string.h>

#include "crypto/base/mem.h"

static char *copy_str(const char *s) {
    if (!s)
        s = "";
    size_t size = strlen(s) + 1;
    char *out = mem_alloc(size);
    if (out)
        memcpy(out, s, size);
    return out;
}

bool facts_init(struct facts *f, const char *const strings[static 4]) {
    *f = (struct facts){.version = copy_str(strings[0]),
                        .state_dir = copy_str(strings[1]),
                        .socket_path = copy_str(strings[2]),
                        .config_path = copy_str(strings[3])};
    return f->version && f->state_dir && f->socket_path && f->config_path;
}

void facts_clear(struct facts *f) {
    mem_free(f->version);
    mem_free(f->state_dir);
    mem_free(f->socket_path);
    mem_free(f->config_path);
    *f = (struct facts){0};
}

bool facts_set_config_path(struct facts *f, const char *path) {
    char *copy = copy_str(path);
    if (!copy)
        return false;
    mem_free(f->config_path);
    f->config_path = copy;
    return true;
}
