#include "cli/screen/table.h"

#include <stdlib.h>
#include <string.h>

#include "cli/screen/name.h"
#include "cli/screen/print.h"
#include "cli/screen/width.h"
#include "cli/screen/wrap.h"
#include "crypto/base/mem.h"

static void add_cell(struct table *t, char *owned) {
    if (!mem_grow(&t->cell, &t->cap, t->cells + 1, sizeof(char *), UINT32_MAX))
        (void)print_or_die(NULL);
    t->cell[t->cells++] = owned;
}

static char *copy(const char *s, size_t len) {
    char *out = print_alloc(len + 1);
    memcpy(out, s, len);
    out[len] = '\0';
    return out;
}

void table_init(struct table *t, const char *headers) {
    *t = (struct table){0};
    while (t->columns < TABLE_COLUMNS_MAX) {
        struct table_column *c = &t->column[t->columns];
        const size_t marks = strspn(headers, ">~?.<!");
        c->right = memchr(headers, '>', marks);
        c->shrinks = memchr(headers, '~', marks);
        c->sentence = memchr(headers, '.', marks);
        c->optional = memchr(headers, '?', marks);
        c->head = memchr(headers, '<', marks);
        c->note = memchr(headers, '!', marks);
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
    bool below; /* the notes are */
};

static void widen(const struct table *t, struct layout *l) {
    memset(l->width, 0, sizeof l->width);
    for (size_t i = 0; i < t->cells; i++) {
        const size_t n = width_of_text(t->cell[i]);
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
    const bool longer = t->column[column].sentence || t->column[column].head;
    return longer && least == NAME_LEAST_COLUMNS ? TABLE_SENTENCE_LEAST : least;
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

static void put_notes_below(const struct table *t, struct layout *l) {
    for (size_t i = 0; i < t->columns; i++)
        l->hidden[i] = t->column[i].note;
    l->below = true;
}

static void fit(const struct table *t, struct layout *l, size_t columns) {
    if (columns && line_width(t, l) > columns)
        put_notes_below(t, l);
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

static const char note_indent[] = "    ";

static void print_notes(const struct table *t, FILE *f, const struct layout *l, size_t row,
                        size_t columns) {
    for (size_t i = 0; i < t->columns; i++) {
        const char *note = t->cell[row + i];
        if (!l->below || row == 0 || !t->column[i].note || !note[0])
            continue;
        fputs(note_indent, f);
        wrap_print(f, note, sizeof note_indent - 1, columns, note_indent);
        fputc('\n', f);
    }
}

static char *fitted(const struct table_column *c, const char *cell, size_t width) {
    return c->head ? name_head(cell, width) : name_fit(cell, width);
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
            char *cell = fitted(&t->column[col], t->cell[i], l.width[col]);
            const size_t n = width_of_text(cell), pad = l.width[col] > n ? l.width[col] - n : 0;
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
            print_notes(t, f, &l, i - col, columns);
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
