#include "cli/kit/options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct option {
    const char *name;
    char letter;
    bool value;
    size_t offset;
};

static const struct option table[] = {
#define X(member, long_name, short_name)                                                           \
    {long_name, short_name, true, offsetof(struct options, member)},
    OPTIONS_WITH_VALUE(X)
#undef X
#define X(member, long_name, short_name)                                                           \
    {long_name, short_name, false, offsetof(struct options, member)},
        OPTIONS_FLAGS(X)
#undef X
};
enum { OPTION_COUNT = sizeof table / sizeof *table };

static const char **value_of(struct options *o, const struct option *opt) {
    return (const char **)(void *)((char *)o + opt->offset);
}

static bool *flag_of(struct options *o, const struct option *opt) {
    return (bool *)((char *)o + opt->offset);
}

static const struct option *by_name(const char *name, size_t len) {
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
            return &table[i];
    return NULL;
}

static const struct option *by_letter(char letter) {
    for (int i = 0; i < OPTION_COUNT; i++)
        if (table[i].letter && table[i].letter == letter)
            return &table[i];
    return NULL;
}

/* One argument that begins with '-'. *at is moved on if the next argument is its value. */
static int take(struct options *o, int argc, char **argv, int *at, char *message) {
    const char *arg = argv[*at], *value = NULL;
    const struct option *opt;
    if (arg[1] == '-') {
        size_t len = strcspn(arg + 2, "=");
        opt = by_name(arg + 2, len);
        value = arg[2 + len] == '=' ? arg + 2 + len + 1 : NULL;
    } else {
        opt = by_letter(arg[1]);
        value = arg[2] ? arg + 2 : NULL;
    }
    if (!opt) {
        snprintf(message, OPTIONS_MESSAGE_MAX,
                 "there is no option %.60s (a word that begins with '-' goes after --)", arg);
        return ERR_USAGE;
    }
    if (!opt->value) {
        if (value) {
            snprintf(message, OPTIONS_MESSAGE_MAX, "--%s takes no value", opt->name);
            return ERR_USAGE;
        }
        *flag_of(o, opt) = true;
        return 0;
    }
    if (!value && *at + 1 < argc)
        value = argv[++*at];
    if (!value) {
        snprintf(message, OPTIONS_MESSAGE_MAX, "--%s needs a value", opt->name);
        return ERR_USAGE;
    }
    if (!*value) { /* as "$DIR" is when nothing has set it */
        snprintf(message, OPTIONS_MESSAGE_MAX, "--%s needs a value, not an empty one", opt->name);
        return ERR_USAGE;
    }
    if (*value_of(o, opt)) {
        snprintf(message, OPTIONS_MESSAGE_MAX, "--%s is given twice", opt->name);
        return ERR_USAGE;
    }
    *value_of(o, opt) = value;
    return 0;
}

int options_parse(struct options *o, int argc, char **argv, char **words, int *word_count,
                  char message[static OPTIONS_MESSAGE_MAX]) {
    bool only_words = false;
    *o = (struct options){0};
    *word_count = 0;
    for (int i = 1; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (only_words || argv[i][0] != '-' || argv[i][1] == '\0') {
            words[(*word_count)++] = argv[i];
        } else {
            int err = take(o, argc, argv, &i, message);
            if (err)
                return err;
        }
    }
    return 0;
}

static bool listed(const char *list, const char *name) {
    size_t len = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += len)
        if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

const char *options_name(const char *arg, bool *value) {
    const struct option *opt = arg[0] != '-'   ? NULL
                               : arg[1] == '-' ? by_name(arg + 2, strcspn(arg + 2, "="))
                                               : by_letter(arg[1]);
    if (opt)
        *value = opt->value;
    return opt ? opt->name : NULL;
}

const char *options_at(int i, bool *value) {
    if (i >= OPTION_COUNT)
        return NULL;
    *value = table[i].value;
    return table[i].name;
}

bool options_for_all(const char *name) {
    return listed("socket state json help", name);
}

bool options_list_has(const char *list, const char *name) {
    return listed(list, name);
}

int options_allow(const struct options *o, const char *allowed,
                  char message[static OPTIONS_MESSAGE_MAX]) {
    struct options copy = *o;
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option *opt = &table[i];
        bool given = opt->value ? *value_of(&copy, opt) != NULL : *flag_of(&copy, opt);
        if (!given || options_for_all(opt->name) || listed(allowed, opt->name))
            continue;
        snprintf(message, OPTIONS_MESSAGE_MAX, "this command has no option --%s", opt->name);
        return ERR_USAGE;
    }
    return 0;
}

bool options_number(const char *text, uint64_t *v) {
    uint64_t n = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || n > (UINT64_MAX - 9) / 10)
            return false;
        n = n * 10 + (uint64_t)(*text - '0');
    }
    *v = n;
    return true;
}

bool options_duration(const char *text, uint64_t *us) {
    static const struct {
        const char *name;
        uint64_t us;
    } units[] = {{"", 1000000},
                 {"s", 1000000},
                 {"ms", 1000},
                 {"m", 60000000},
                 {"h", UINT64_C(3600000000)},
                 {"d", UINT64_C(86400000000)}};
    const uint64_t longest = UINT64_C(30) * 365 * 86400 * 1000000;
    size_t digits = strspn(text, "0123456789"), more = 0;
    const char *unit = text + digits;
    if (*unit == '.') {
        more = strspn(unit + 1, "0123456789");
        unit += 1 + more;
    }
    if (digits == 0 || digits > 12 || more > 6)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        uint64_t whole = 0, part = 0, scale = 1;
        for (size_t d = 0; d < digits; d++)
            whole = whole * 10 + (uint64_t)(text[d] - '0');
        for (size_t d = 0; d < more; d++, scale *= 10)
            part = part * 10 + (uint64_t)(text[digits + 1 + d] - '0');
        if (whole > longest / units[i].us)
            return false;
        *us = whole * units[i].us + part * units[i].us / scale;
        return true;
    }
    return false;
}
