/* Reading docs/CONTROL.md: its tables, its maps and their types. */
#include "support_document.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static struct doc_entry *add_entry(struct document *d, enum doc_part part, const char *name,
                                   size_t len) {
    if (d->count == DOC_ENTRIES_MAX || len >= DOC_NAME_MAX)
        abort();
    struct doc_entry *e = &d->entries[d->count++];
    e->part = part;
    memcpy(e->name, name, len);
    return e;
}

/* The length of the type at s: n, s, b, r, [..], {..}; 0 if there is none. */
static size_t type_length(const char *s) {
    if (strchr("nsbr", s[0]) && s[0] && !isalnum((unsigned char)s[1]))
        return 1;
    const char *end = s[0] == '[' ? strchr(s, ']') : s[0] == '{' ? strchr(s, '}') : NULL;
    return end ? (size_t)(end - s) + 1 : 0;
}

static void add_field(struct doc_entry *e, const char *name, size_t name_len, const char *type,
                      size_t type_len, bool optional) {
    if (e->count == DOC_FIELDS_MAX || name_len >= DOC_NAME_MAX || type_len >= DOC_NAME_MAX)
        abort();
    struct doc_field *f = &e->fields[e->count++];
    memcpy(f->name, name, name_len);
    memcpy(f->type, type, type_len);
    f->optional = optional;
}

static void add_page(struct doc_entry *e) {
    add_field(e, "offset", 6, "n", 1, true);
    add_field(e, "limit", 5, "n", 1, true);
}

/* `key`? TYPE anywhere in the text; {map} alone stands for its fields, "page" for the two. */
static void read_fields(struct doc_entry *e, const char *text, size_t len) {
    char buf[2048];
    if (len >= sizeof buf)
        abort();
    memcpy(buf, text, len);
    buf[len] = '\0';
    for (const char *p = buf; *p;) {
        const char *end = *p == '`' ? strchr(p + 1, '`') : NULL;
        if (end) {
            bool optional = end[1] == '?';
            const char *after = end + 1 + optional;
            size_t type = *after == ' ' ? type_length(after + 1) : 0;
            if (type > 0)
                add_field(e, p + 1, (size_t)(end - p) - 1, after + 1, type, optional);
            p = type > 0 ? after + 1 + type : end + 1;
        } else if (*p == '{') {
            size_t type = type_length(p);
            add_field(e, "", 0, p, type, false);
            p += type ? type : 1;
        } else if (strncmp(p, "page", 4) == 0 && e->part == DOC_PARAMS) {
            add_page(e);
            p += 4;
        } else {
            p++;
        }
    }
}

/* One row of a table: every name in the first cell gets the fields of cell `cell`. */
static void read_row(struct document *d, const char *line, enum doc_part part, unsigned cell) {
    const char *cells[5];
    unsigned n = 0;
    for (const char *p = line; *p && n < 5; p++)
        if (*p == '|')
            cells[n++] = p + 1;
    if (n < cell + 2)
        return;
    for (const char *p = cells[0]; p < cells[1];) {
        const char *end = *p == '`' ? strchr(p + 1, '`') : NULL;
        if (end && end < cells[1])
            read_fields(add_entry(d, part, p + 1, (size_t)(end - p) - 1), cells[cell],
                        (size_t)(cells[cell + 1] - cells[cell]) - 1);
        else if (strncmp(p, "any, on failure", 15) == 0)
            read_fields(add_entry(d, part, "any", 3), cells[cell],
                        (size_t)(cells[cell + 1] - cells[cell]) - 1);
        p = end && end < cells[1] ? end + 1 : p + 1;
    }
}

/* "* **name**: fields", over several lines. */
static const char *read_map(struct document *d, const char *line) {
    const char *name = line + 4, *end = strstr(name, "**");
    const char *stop = strchr(line, '\n');
    while (stop && strncmp(stop + 1, "  ", 2) == 0)
        stop = strchr(stop + 1, '\n');
    if (!end || !stop)
        abort();
    read_fields(add_entry(d, DOC_MAP, name, (size_t)(end - name)), end, (size_t)(stop - end));
    return stop;
}

static void read_text(struct document *d, const char *text) {
    char heading[64] = "";
    for (const char *p = text; p && *p;) {
        const char *nl = strchr(p, '\n');
        char line[2048];
        snprintf(line, sizeof line, "%.*s", nl ? (int)(nl - p) : (int)strlen(p), p);
        if (strncmp(p, "## ", 3) == 0) {
            snprintf(heading, sizeof heading, "%.60s", line + 3);
        } else if (strncmp(p, "* **", 4) == 0) {
            nl = read_map(d, p);
        } else if (p[0] == '|' && strcmp(heading, "Methods") == 0) {
            read_row(d, line, DOC_PARAMS, 1);
            read_row(d, line, DOC_RESULT, 2);
        } else if (p[0] == '|' && strcmp(heading, "Events") == 0) {
            read_row(d, line, DOC_EVENT, 1);
        } else if (p[0] == '|' && strcmp(heading, "JSON of meshctl") == 0) {
            read_row(d, line, DOC_JSON, 1);
        }
        p = nl ? nl + 1 : NULL;
    }
}

struct document *document_load(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    static char text[1 << 17];
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    struct document *d = calloc(1, sizeof *d);
    if (d)
        read_text(d, text);
    return d;
}

void document_free(struct document *d) {
    free(d);
}

const struct doc_entry *document_find(const struct document *d, enum doc_part part,
                                      const char *name) {
    for (unsigned i = 0; i < d->count; i++)
        if (d->entries[i].part == part && strcmp(d->entries[i].name, name) == 0)
            return &d->entries[i];
    return NULL;
}

/* ---- comparing ---- */

static const struct doc_entry *map_of(const struct document *d, const char *type) {
    char name[DOC_NAME_MAX];
    snprintf(name, sizeof name, "%.*s", (int)strlen(type) - 2, type + 1);
    return document_find(d, DOC_MAP, name);
}

static bool is_of(const struct document *d, const char *type, const json_t *v, const char *where,
                  char why[DOC_WHY_MAX]) {
    bool fits = false;
    char inner[DOC_NAME_MAX];
    switch (type[0]) {
    case 'n':
        fits = json_is_integer(v) && json_integer_value(v) >= 0;
        break;
    case 's':
        fits = json_is_string(v);
        break;
    case 'b':
        fits = json_is_boolean(v);
        break;
    case 'r':
        fits = json_is_real(v);
        break;
    case '{':
        fits = json_is_object(v);
        if (fits)
            return map_of(d, type) && document_keeps(d, map_of(d, type), NULL, v, why);
        break;
    case '[':
        snprintf(inner, sizeof inner, "%.*s", (int)strlen(type) - 2, type + 1);
        fits = json_is_array(v);
        for (size_t i = 0; fits && i < json_array_size(v); i++)
            if (!is_of(d, inner, json_array_get(v, i), where, why))
                return false;
        break;
    default:
        break;
    }
    if (!fits)
        snprintf(why, DOC_WHY_MAX, "\"%s\" is not of type %s", where, type);
    return fits;
}

/* Every field of e is there. Counts those found. */
static bool has_fields(const struct document *d, const struct doc_entry *e, const json_t *v,
                       size_t *found, char why[DOC_WHY_MAX]) {
    for (unsigned i = 0; i < e->count; i++) {
        const struct doc_field *f = &e->fields[i];
        if (f->name[0] == '\0') {
            const struct doc_entry *all = map_of(d, f->type);
            if (!all) {
                snprintf(why, DOC_WHY_MAX, "the map %s is not described", f->type);
                return false;
            }
            if (!has_fields(d, all, v, found, why))
                return false;
            continue;
        }
        const json_t *at = json_object_get(v, f->name);
        *found += at != NULL;
        if (f->optional && (!at || json_is_null(at)))
            continue;
        if (!at) {
            snprintf(why, DOC_WHY_MAX, "%s: \"%s\" is promised and missing", e->name, f->name);
            return false;
        }
        if (!is_of(d, f->type, at, f->name, why))
            return false;
    }
    return true;
}

bool document_keeps(const struct document *d, const struct doc_entry *e,
                    const struct doc_entry *extra, const json_t *value, char why[DOC_WHY_MAX]) {
    size_t found = 0;
    if (!has_fields(d, e, value, &found, why))
        return false;
    if (extra && !has_fields(d, extra, value, &found, why))
        return false;
    if (found == json_object_size(value) || strcmp(e->name, "counters") == 0)
        return true;
    char *text = json_dumps(value, JSON_COMPACT);
    snprintf(why, DOC_WHY_MAX, "%s: has keys that are not promised: %.150s", e->name, text);
    free(text);
    return false;
}
