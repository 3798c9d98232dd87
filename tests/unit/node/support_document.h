/* support_document.h: docs/CONTROL.md read by a program: which keys, of which types, it promises in
 * its tables and maps; and whether a value keeps the promise. A key that is promised and missing, a
 * key that is not promised, and one of another type are all told.
 */
#ifndef MESHD_TESTS_SUPPORT_DOCUMENT_H
#define MESHD_TESTS_SUPPORT_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>

enum { DOC_NAME_MAX = 48, DOC_FIELDS_MAX = 48, DOC_ENTRIES_MAX = 160, DOC_WHY_MAX = 256 };

enum doc_part { DOC_PARAMS, DOC_RESULT, DOC_MAP, DOC_EVENT, DOC_JSON };

struct doc_field {
    char name[DOC_NAME_MAX];
    char type[DOC_NAME_MAX]; /* "n", "s", "b", "r", "[..]", "{map}" */
    bool optional;
};

struct doc_entry {
    enum doc_part part;
    char name[DOC_NAME_MAX];
    struct doc_field fields[DOC_FIELDS_MAX]; /* an empty name: all fields of the map `type` */
    unsigned count;
};

struct document {
    struct doc_entry entries[DOC_ENTRIES_MAX];
    unsigned count;
};

/* NULL if it cannot be read. */
struct document *document_load(const char *path);
void document_free(struct document *d);
const struct doc_entry *document_find(const struct document *d, enum doc_part part,
                                      const char *name);
/* Whether `value` is what the entry promises; `extra`: an entry whose fields count too, or NULL. */
bool document_keeps(const struct document *d, const struct doc_entry *e,
                    const struct doc_entry *extra, const json_t *value, char why[DOC_WHY_MAX]);

#endif
