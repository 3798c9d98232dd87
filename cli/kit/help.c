#include "cli/kit/help.h"

#include <string.h>

#include "cli/screen/terminal.h"
#include "cli/screen/width.h"

enum {
    TEXT_MAX = 4096,
    TEXT_MIN_COLUMNS = 28, /* a second column narrower than that goes under the first */
    UNDER = 6,
};
static const char usage[] = "usage: meshctl ";

/* The bytes up to the next blank outside of brackets. */
static size_t word_len(const char *s, size_t len) {
    size_t n = 0;
    for (int depth = 0; n < len && (s[n] != ' ' || depth > 0); n++)
        depth += (s[n] == '[') - (s[n] == ']');
    return n;
}

static void put_indent(FILE *f, size_t columns) {
    fprintf(f, "%*s", (int)columns, "");
}

/* Words of s[0..len) from column `at` on, further lines from column `indent`. */
static void flow(FILE *f, const char *s, size_t len, size_t at, size_t indent, size_t columns) {
    bool begun = false;
    while (len > 0) {
        size_t blanks = strspn(s, " ");
        if (blanks >= len)
            break;
        s += blanks;
        len -= blanks;
        char word[TEXT_MAX];
        size_t n = word_len(s, len);
        snprintf(word, sizeof word, "%.*s", (int)n, s);
        size_t w = width_of_text(word);
        if (begun && at + 1 + w > columns) {
            fputc('\n', f);
            put_indent(f, indent);
            at = indent;
        } else if (begun) {
            fputc(' ', f);
            at++;
        }
        fputs(word, f);
        at += w;
        begun = true;
        s += n;
        len -= n;
    }
    fputc('\n', f);
}

/* "  --name NAME  what it means": where the second part begins; 0: it is no such line. */
static size_t second_part(const char *s, size_t len) {
    if (len < 3 || memcmp(s, "  ", 2) != 0 || s[2] == ' ')
        return 0;
    for (size_t i = 3; i + 2 < len; i++)
        if (s[i] == ' ' && s[i + 1] == ' ')
            return i + strspn(s + i, " ");
    return 0;
}

static size_t usage_indent(const char *s, size_t lead, size_t columns) {
    if (strncmp(s, usage, sizeof usage - 1) != 0)
        return lead;
    return columns >= 2 * TEXT_MIN_COLUMNS ? sizeof usage - 1 : UNDER / 2;
}

static void put_paragraph(FILE *f, const char *s, size_t len, size_t columns) {
    size_t second = second_part(s, len), first = second, lead = strspn(s, " ");
    if (second == 0) {
        lead = lead < len ? lead : len;
        put_indent(f, lead);
        flow(f, s + lead, len - lead, lead, usage_indent(s, lead, columns), columns);
        return;
    }
    while (first > 0 && s[first - 1] == ' ')
        first--;
    fprintf(f, "%.*s", (int)first, s);
    if (second + TEXT_MIN_COLUMNS <= columns) {
        put_indent(f, second - first);
        flow(f, s + second, len - second, second, second, columns);
    } else {
        fputc('\n', f);
        put_indent(f, UNDER);
        flow(f, s + second, len - second, UNDER, UNDER, columns);
    }
}

void help_put(FILE *f, const char *text, unsigned columns) {
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (len == 0)
            fputc('\n', f);
        else
            put_paragraph(f, text, len, columns);
        text += len + (text[len] == '\n');
    }
}

unsigned help_columns(FILE *f) {
    unsigned columns = terminal_columns_or(f, HELP_COLUMNS + 1) - 1;
    columns = columns < HELP_COLUMNS_MIN ? HELP_COLUMNS_MIN : columns;
    return columns < HELP_COLUMNS ? columns : HELP_COLUMNS;
}

void help_all(FILE *f, const struct verb *verbs, int count) {
    char text[TEXT_MAX];
    unsigned columns = help_columns(f);
    help_put(f, "usage: meshctl [--socket PATH|--state DIR] [--json] COMMAND [ARGUMENT]...\n\n",
             columns);
    for (int i = 0; i < count; i++) {
        if (!verbs[i].brief)
            continue;
        snprintf(text, sizeof text, "  %-14s  %s\n", verbs[i].name, verbs[i].brief);
        help_put(f, text, columns);
    }
    help_put(
        f,
        "\n"
        "  --socket PATH  the daemon's control socket (also: MESHD_SOCKET)\n"
        "  --state DIR    that of the daemon with this state directory: DIR/control.sock\n"
        "  --json         one JSON object on standard output\n"
        "  --version      print the version\n"
        "  -h, --help     this text; after a command: about that command\n"
        "\n"
        "Exit codes: 0 ok, 1 failed, 2 usage, 3 daemon not running, 4 not found, 5 refused by "
        "the peer, 6 peer offline (queued), 7 not authenticated, 8 integrity, 9 disk or quota, "
        "10 timeout, 130 interrupted.\n",
        columns);
}

void help_verb(FILE *f, const struct verb *v) {
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "usage: meshctl %s%s%s\n\n%s\n%s%s", v->name,
             v->synopsis[0] ? " " : "", v->synopsis, v->brief ? v->brief : "see transfers ls",
             v->help[0] ? "\n" : "", v->help);
    help_put(f, text, help_columns(f));
}
