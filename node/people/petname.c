#include "node/people/petname.h"

#include <stdio.h>
#include <string.h>

#include "node/api/utf8.h"

bool petname_ok(const char *name) {
    size_t n = strlen(name);
    return n >= 1 && n <= PETNAME_MAX && utf8_all_plain(name, n) && !memchr(name, '/', n) &&
           name[0] != ' ' && name[0] != '-' && name[n - 1] != ' ';
}

void petname_default(const struct node_id *id, unsigned try, char out[static PETNAME_MAX + 1]) {
    char text[NODE_ID_TEXT_CHARS + 1];
    node_id_text(id, text);
    if (try == 0)
        snprintf(out, PETNAME_MAX + 1, "peer-%.8s", text + sizeof NODE_ID_HRP);
    else
        snprintf(out, PETNAME_MAX + 1, "peer-%.8s-%u", text + sizeof NODE_ID_HRP, try + 1);
}
