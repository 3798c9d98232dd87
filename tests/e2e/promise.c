/* promise.c: DOCUMENT COMMAND [EVENT]: the JSON object on standard input has exactly the keys that
 * docs/CONTROL.md promises for the JSON of that command of meshctl (with EVENT: and for events of
 * that kind). Says what is wrong. */
#include <stdio.h>
#include <string.h>

#include "../unit/node/support_document.h"

int main(int argc, char **argv) {
    char why[DOC_WHY_MAX] = "";
    json_error_t e;
    if (argc < 3)
        return 2;
    struct document *d = document_load(argv[1]);
    json_t *o = json_loadf(stdin, JSON_REJECT_DUPLICATES, &e);
    const struct doc_entry *entry = d ? document_find(d, DOC_JSON, argv[2]) : NULL;
    const struct doc_entry *kind = d && argc > 3 ? document_find(d, DOC_EVENT, argv[3]) : NULL;
    if (!entry || (argc > 3 && !kind)) {
        printf("%s is not in %s\n", argv[argc - 1], argv[1]);
        return 1;
    }
    if (!json_is_object(o)) {
        printf("%s: not one JSON object: %s\n", argv[2], e.text);
        return 1;
    }
    if (!json_is_integer(json_object_get(o, "schema")) ||
        json_integer_value(json_object_get(o, "schema")) != 1) {
        printf("%s: no \"schema\": 1\n", argv[2]);
        return 1;
    }
    json_object_del(o, "schema");
    bool kept = document_keeps(d, entry, kind, o, why);
    if (!kept)
        printf("%s: %s\n", argv[2], why);
    json_decref(o);
    document_free(d);
    return kept ? 0 : 1;
}
