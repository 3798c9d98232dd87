#include "node/config/config_value.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char units[] = "KMGT";

int config_word_value(const struct config_word *words, const char *text, int *out) {
    for (; words->text; words++) {
        if (strcmp(words->text, text) == 0) {
            *out = words->value;
            return 0;
        }
    }
    return ERR_FORMAT;
}

const char *config_word_text(const struct config_word *words, int value) {
    while (words->text && words->value != value)
        words++;
    return words->text ? words->text : "";
}

/* Digits and a unit, each of which is `step` times the one before. */
static int parse_number(uint64_t *out, const char *text, uint64_t step) {
    uint64_t v = 0;
    bool over = false;
    const char *p = text;
    unsigned times = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');
        over = over || v > (UINT64_MAX - digit) / 10;
        v = v * 10 + digit;
    }
    if (p == text)
        return ERR_FORMAT;
    if (*p) {
        const char *unit = strchr(units, *p & ~0x20);
        if (!unit || !*unit || p[1])
            return ERR_FORMAT;
        times = (unsigned)(unit - units + 1);
    }
    for (; times > 0; times--) {
        over = over || v > UINT64_MAX / step;
        v *= step;
    }
    if (over)
        return ERR_FULL;
    *out = v;
    return 0;
}

static void number_text(uint64_t v, uint64_t step, char out[static 32]) {
    unsigned i = 0;
    while (v > 0 && v % step == 0 && i < 4) {
        v /= step;
        i++;
    }
    if (i == 0)
        snprintf(out, 32, "%llu", (unsigned long long)v);
    else
        snprintf(out, 32, "%llu%c", (unsigned long long)v, units[i - 1]);
}

int config_size_parse(uint64_t *out, const char *text) {
    return parse_number(out, text, 1024);
}

void config_size_text(uint64_t v, char out[static 32]) {
    number_text(v, 1024, out);
}

int config_rate_parse(uint64_t *out, const char *text) {
    return parse_number(out, text, 1000);
}

void config_rate_text(uint64_t v, char out[static 32]) {
    number_text(v, 1000, out);
}

static bool is_quote(char c) {
    return c == '"' || c == '\'';
}

static bool has_variable(const char *s) {
    while ((s = strchr(s, '$')) != NULL) {
        s++;
        if (*s == '{' || *s == '_' || (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z'))
            return true;
    }
    return false;
}

const char *config_path_wrong(const char *path) {
    const size_t n = strlen(path);
    if (n == 0)
        return "the path is missing; give one, or leave the line out";
    if (is_quote(path[0]) || is_quote(path[n - 1]))
        return "write the path without quotes, blanks in it are fine";
    if (has_variable(path))
        return "variables are not replaced; write the path out, or begin it with ~/";
    if (path[0] == '~' && path[1] != '/' && path[1] != '\0')
        return "only one's own home is known, as ~/; write the other path out";
    if (path[0] != '/' && path[0] != '~')
        return "write the whole path, from / or ~/ on";
    return NULL;
}
