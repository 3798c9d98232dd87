#include "cli/screen/print.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/screen/name.h"
#include "cli/screen/width.h"
#include "cli/screen/wrap.h"
#include "crypto/base/mem.h"
#include "node/api/escape.h"
#include "node/api/prose.h"
#include "node/api/utf8.h"

static void *or_die(void *p) {
    if (!p) {
        fputs("meshctl: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

void *print_alloc(size_t size) {
    return or_die(malloc(size));
}

/* Three digits: "1.50", "15.0", "150". */
static void three(char *out, size_t cap, double v, const char *unit) {
    snprintf(out, cap, "%.*f %s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, unit);
}

void print_size(char out[static PRINT_NUMBER_MAX], uint64_t bytes) {
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(out, PRINT_NUMBER_MAX, "%u B", (unsigned)bytes);
        return;
    }
    double v = (double)bytes / 1000;
    unsigned u = 0;
    for (; v >= 999.5 && u < 5; u++)
        v /= 1000;
    three(out, PRINT_NUMBER_MAX, v, units[u]);
}

void print_duration(char out[static PRINT_NUMBER_MAX], uint64_t us) {
    uint64_t s = us / 1000000;
    if (us < 1000)
        snprintf(out, PRINT_NUMBER_MAX, "%u us", (unsigned)us);
    else if (us < 999500)
        three(out, PRINT_NUMBER_MAX, (double)us / 1000, "ms");
    else if (s < 60)
        three(out, PRINT_NUMBER_MAX, (double)us / 1000000, "s");
    else if (s < 3600)
        snprintf(out, PRINT_NUMBER_MAX, "%u min %u s", (unsigned)(s / 60), (unsigned)(s % 60));
    else if (s < 86400)
        snprintf(out, PRINT_NUMBER_MAX, "%u h %u min", (unsigned)(s / 3600),
                 (unsigned)(s % 3600 / 60));
    else
        snprintf(out, PRINT_NUMBER_MAX, "%llu d %u h", (unsigned long long)(s / 86400),
                 (unsigned)(s % 86400 / 3600));
}

void print_rate(char out[static PRINT_NUMBER_MAX], uint64_t bytes, uint64_t us) {
    if (us == 0) {
        snprintf(out, PRINT_NUMBER_MAX, "-");
        return;
    }
    char size[PRINT_NUMBER_MAX];
    print_size(size, (uint64_t)((double)bytes * 1e6 / (double)us));
    snprintf(out, PRINT_NUMBER_MAX, "%.40s/s", size);
}

void print_time(char out[static PRINT_NUMBER_MAX], uint64_t wall_us) {
    time_t t = (time_t)(wall_us / 1000000);
    struct tm tm;
    if (!localtime_r(&t, &tm) || !strftime(out, PRINT_NUMBER_MAX, "%Y-%m-%d %H:%M:%S", &tm))
        snprintf(out, PRINT_NUMBER_MAX, "?");
}

char *print_escaped(const char *s, size_t len) {
    size_t cap = len * ESCAPE_GROWTH + 1;
    char *out = or_die(malloc(cap));
    escape_text(out, cap, s, len);
    return out;
}

void print_text(FILE *f, const char *s, size_t len) {
    char *text = print_escaped(s, len);
    fputs(text, f);
    free(text);
}

void print_prose(FILE *f, void (*head)(FILE *f, const msgpack_object *o), const msgpack_object *o,
                 const char *s, size_t len) {
    static const char indent[] = "    ";
    char *line = NULL;
    size_t line_len, cap = prose_show(NULL, 0, s, len, indent) + 1;
    char *text = or_die(malloc(cap));
    FILE *memory = or_die(open_memstream(&line, &line_len));
    prose_show(text, cap, s, len, indent);
    head(memory, o);
    if (fclose(memory) != 0)
        or_die(NULL);
    fputs(line, f);
    wrap_print(f, text, wrap_width(line, line_len), terminal_columns(f), indent);
    free(line);
    free(text);
}

/* ---- tables ---- */

static void add_cell(struct table *t, char *owned) {
    if (!mem_grow(&t->cell, &t->cap, t->cells + 1, sizeof(char *), UINT32_MAX))
        (void)or_die(NULL);
    t->cell[t->cells++] = owned;
}

static char *copy(const char *s, size_t len) {
    char *out = or_die(malloc(len + 1));
    memcpy(out, s, len);
    out[len] = '\0';
    return out;
}

void table_init(struct table *t, const char *headers) {
    *t = (struct table){0};
    while (t->columns < TABLE_COLUMNS_MAX) {
        struct table_column *c = &t->column[t->columns];
        const size_t marks = strspn(headers, ">~?.");
        c->right = memchr(headers, '>', marks);
        c->shrinks = memchr(headers, '~', marks);
        c->sentence = memchr(headers, '.', marks);
        c->optional = memchr(headers, '?', marks);
        headers += marks;
        const size_t len = strcspn(headers, "|");
        add_cell(t, copy(headers, len));
        t->columns++;
        if (headers[len] == '\0')
            break;
        headers += len + 1;
    }
}

void table_text(struct table *t, const char *s, size_t len) {
    add_cell(t, print_escaped(s, len));
}

void table_cell(struct table *t, const char *s) {
    add_cell(t, copy(s, strlen(s)));
}

void table_str(struct table *t, const msgpack_object *o, const char *key) {
    size_t len;
    const char *s = proto_get_str(o, key, &len);
    table_text(t, s, len);
}

void table_uint(struct table *t, uint64_t v) {
    char text[PRINT_NUMBER_MAX];
    snprintf(text, sizeof text, "%llu", (unsigned long long)v);
    table_cell(t, text);
}

enum { TABLE_GAP = 2 }; /* blanks between two columns */

struct layout {
    size_t width[TABLE_COLUMNS_MAX];
    bool hidden[TABLE_COLUMNS_MAX];
};

static size_t columns_of(const char *s) {
    return width_of(s, strlen(s));
}

static void widen(const struct table *t, struct layout *l) {
    memset(l->width, 0, sizeof l->width);
    for (size_t i = 0; i < t->cells; i++) {
        const size_t n = columns_of(t->cell[i]);
        if (n > l->width[i % t->columns])
            l->width[i % t->columns] = n;
    }
}

static size_t line_width(const struct table *t, const struct layout *l) {
    size_t sum = 0;
    for (size_t i = 0; i < t->columns; i++)
        if (!l->hidden[i])
            sum += l->width[i] + (sum ? TABLE_GAP : 0);
    return sum;
}

static size_t least_of(const struct table *t, size_t column, size_t least) {
    return t->column[column].sentence && least == NAME_LEAST_COLUMNS ? TABLE_SENTENCE_LEAST : least;
}

/* The widest one becomes narrower, until a line fits; false: it does not. */
static bool shrink(const struct table *t, struct layout *l, size_t columns, size_t least) {
    for (size_t line = line_width(t, l); line > columns; line--) {
        size_t *widest = NULL;
        for (size_t i = 0; i < t->columns; i++)
            if (t->column[i].shrinks && !l->hidden[i] && l->width[i] > least_of(t, i, least) &&
                (!widest || l->width[i] > *widest))
                widest = &l->width[i];
        if (!widest)
            return false;
        --*widest;
    }
    return true;
}

static void fit(const struct table *t, struct layout *l, size_t columns) {
    while (columns && !shrink(t, l, columns, NAME_LEAST_COLUMNS)) {
        size_t last = t->columns;
        while (last > 0 && (!t->column[last - 1].optional || l->hidden[last - 1]))
            last--;
        if (last == 0) {
            (void)shrink(t, l, columns, 1);
            return;
        }
        widen(t, l); /* there is room again */
        l->hidden[last - 1] = true;
    }
}

static void put_blanks(FILE *f, size_t n) {
    fprintf(f, "%*s", (int)n, "");
}

void table_print(const struct table *t, FILE *f, unsigned columns) {
    struct layout l = {0};
    size_t gap = 0; /* blanks that the next cell has in front of it */
    if (t->columns == 0)
        return;
    widen(t, &l);
    fit(t, &l, columns);
    for (size_t i = 0; i < t->cells; i++) {
        const size_t col = i % t->columns;
        if (!l.hidden[col]) {
            char *cell = name_fit(t->cell[i], l.width[col]);
            const size_t n = columns_of(cell), pad = l.width[col] > n ? l.width[col] - n : 0;
            if (cell[0]) { /* nothing is put behind the last one that is not empty */
                put_blanks(f, gap + (t->column[col].right ? pad : 0));
                fputs(cell, f);
                gap = 0;
            }
            gap += TABLE_GAP + (cell[0] && t->column[col].right ? 0 : pad);
            free(cell);
        }
        if (col + 1 == t->columns) {
            fputc('\n', f);
            gap = 0;
        }
    }
}

void table_clear(struct table *t) {
    for (size_t i = 0; i < t->cells; i++)
        free(t->cell[i]);
    mem_free(t->cell);
    *t = (struct table){0};
}

/* ---- JSON ---- */

json_t *json_text(const char *s, size_t len) {
    json_t *plain = json_stringn(s, len);
    if (plain)
        return plain;
    char *fixed = or_die(malloc(3 * len + 1));
    size_t out = 0;
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        size_t n = utf8_read(s + i, len - i, &cp);
        memcpy(fixed + out, n ? s + i : "\xef\xbf\xbd", n ? n : 3);
        out += n ? n : 3;
        i += n ? n : 1;
    }
    json_t *o = json_stringn_nocheck(fixed, out);
    free(fixed);
    return o;
}

static json_t *json_from_map(const msgpack_object_map *map) {
    json_t *o = json_object();
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object *k = &map->ptr[i].key;
        if (k->type != MSGPACK_OBJECT_STR)
            continue;
        char *key = copy(k->via.str.ptr, k->via.str.size);
        if (json_object_set_new(o, key, json_from(&map->ptr[i].val)) != 0) {
            /* A key that is not UTF-8 is none of ours. */
        }
        free(key);
    }
    return o;
}

json_t *json_from(const msgpack_object *o) {
    if (!o)
        return json_null();
    json_t *array;
    switch (o->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(o->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return o->via.u64 <= INT64_MAX ? json_integer((json_int_t)o->via.u64)
                                       : json_real((double)o->via.u64);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return json_integer((json_int_t)o->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return json_real(o->via.f64);
    case MSGPACK_OBJECT_STR:
        return json_text(o->via.str.ptr, o->via.str.size);
    case MSGPACK_OBJECT_ARRAY:
        array = json_array();
        for (uint32_t i = 0; i < o->via.array.size; i++)
            json_array_append_new(array, json_from(&o->via.array.ptr[i]));
        return array;
    case MSGPACK_OBJECT_MAP:
        return json_from_map(&o->via.map);
    case MSGPACK_OBJECT_NIL:
    case MSGPACK_OBJECT_BIN:
    case MSGPACK_OBJECT_EXT:
        break;
    }
    return json_null();
}

void print_json(json_t *o) {
    json_object_set_new(o, "schema", json_integer(PRINT_SCHEMA));
    char *text = or_die(json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENSURE_ASCII |
                                          JSON_REAL_PRECISION(PRINT_REAL_DIGITS)));
    puts(text);
    fflush(stdout);
    free(text);
    json_decref(o);
}
