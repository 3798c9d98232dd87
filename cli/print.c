#include "cli/print.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/wrap.h"
#include "node/escape.h"
#include "node/prose.h"
#include "node/utf8.h"

static void *or_die(void *p) {
    if (!p) {
        fputs("meshctl: out of memory\n", stderr);
        exit(1);
    }
    return p;
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

/* 0: no terminal, or one that does not know. */
static size_t columns_of(FILE *f) {
    struct winsize size;
    return ioctl(fileno(f), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
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
    wrap_print(f, text, wrap_width(line, line_len), columns_of(f), indent);
    free(line);
    free(text);
}

/* ---- tables ---- */

static void add_cell(struct table *t, char *owned) {
    if (t->cells == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cell = or_die(realloc(t->cell, t->cap * sizeof *t->cell));
    }
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
        size_t len = strcspn(headers, "|");
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

static size_t characters(const char *s) {
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

void table_print(struct table *t, FILE *f) {
    if (t->columns == 0)
        return;
    size_t width[TABLE_COLUMNS_MAX] = {0};
    bool right[TABLE_COLUMNS_MAX] = {false};
    for (size_t i = 0; i < t->columns; i++)
        if (t->cell[i][0] == '>') {
            right[i] = true;
            memmove(t->cell[i], t->cell[i] + 1, strlen(t->cell[i]));
        }
    for (size_t i = 0; i < t->cells; i++) {
        size_t n = characters(t->cell[i]);
        if (n > width[i % t->columns])
            width[i % t->columns] = n;
    }
    for (size_t i = 0; i < t->cells; i++) {
        size_t col = i % t->columns, pad = width[col] - characters(t->cell[i]);
        bool last = col + 1 == t->columns;
        if (right[col])
            fprintf(f, "%*s", (int)pad, "");
        fputs(t->cell[i], f);
        if (last)
            fputc('\n', f);
        else
            fprintf(f, "%*s", (int)(right[col] ? 2 : pad + 2), "");
    }
}

void table_clear(struct table *t) {
    for (size_t i = 0; i < t->cells; i++)
        free(t->cell[i]);
    free(t->cell);
    *t = (struct table){0};
}

/* ---- progress ---- */

void progress_init(struct progress *p, bool wanted) {
    *p = (struct progress){.on = wanted && isatty(STDERR_FILENO)};
}

/* Over the line before, however long that was: no escape sequences, so that NO_COLOR and dumb
 * terminals hold. */
static void show(struct progress *p, const char *line) {
    fprintf(stderr, "\r%-78.78s", line);
    fflush(stderr);
    p->shown = true;
}

void progress_say(struct progress *p, const char *what) {
    if (p->on)
        show(p, what);
}

void progress_update(struct progress *p, uint64_t now_us, uint64_t bytes, uint64_t total) {
    if (!p->on)
        return;
    if (p->last_us && now_us > p->last_us && bytes >= p->last_bytes) {
        double rate = (double)(bytes - p->last_bytes) * 1e6 / (double)(now_us - p->last_us);
        p->rate = p->rate ? (uint64_t)((double)p->rate * 0.8 + rate * 0.2) : (uint64_t)rate;
    }
    p->last_us = now_us;
    p->last_bytes = bytes;
    char done[PRINT_NUMBER_MAX], all[PRINT_NUMBER_MAX], speed[PRINT_NUMBER_MAX],
        eta[PRINT_NUMBER_MAX] = "-", line[256];
    print_size(done, bytes);
    print_size(all, total);
    print_rate(speed, p->rate, p->rate ? 1000000 : 0);
    if (p->rate && total >= bytes)
        print_duration(eta, (total - bytes) / p->rate * 1000000);
    unsigned percent = total ? (unsigned)((double)bytes * 100 / (double)total) : 100;
    snprintf(line, sizeof line, "%3u %%  %s of %s  %s  ETA %s", percent, done, all, speed, eta);
    show(p, line);
}

void progress_clear(struct progress *p) {
    if (p->shown)
        fprintf(stderr, "\r%78s\r", "");
    p->shown = false;
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
