/* complete.c: complete */
#include "cli/verbs/complete.h"

#include <stdio.h>
#include <string.h>

#include "cli/screen/json.h"
#include "node/api/escape.h"

#define COMPLETE_ANSWER_US UINT64_C(1000000) /* a shell waits for it */

/* ---- which kind of word ---- */

static enum complete_kind value_kind(const char *option) {
    static const struct {
        const char *option;
        enum complete_kind kind;
    } kinds[] = {
        {"socket", COMPLETE_FILE},  {"state", COMPLETE_DIR}, {"for", COMPLETE_CONDITION},
        {"file", COMPLETE_FILE},    {"out", COMPLETE_DIR},   {"from", COMPLETE_CONTACT},
        {"with", COMPLETE_CONTACT},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(option, kinds[i].option) == 0)
            return kinds[i].kind;
    return COMPLETE_NOTHING;
}

static bool begins(const char *s, const char *with) {
    return strncmp(s, with, strlen(with)) == 0;
}

/* The kind of the verb's n-th word, by its synopsis: "NAME PATH...|- [--as NAME]". */
static enum complete_kind word_kind(const struct verb *v, int n, const char **words) {
    const char *at = v->synopsis;
    for (int i = 0; *at && *at != '[' && *at != '-'; i++) {
        size_t len = strcspn(at, " ");
        bool more = len >= 3 && strstr(at, "...") && strstr(at, "...") < at + len;
        if (i == n || more) {
            if (begins(at, "NAME") || begins(at, "OLD"))
                return COMPLETE_CONTACT;
            if (begins(at, "PATH"))
                return COMPLETE_FILE;
            *words = at;
            if (at[0] >= 'a' && at[0] <= 'z' && memchr(at, '|', len))
                return COMPLETE_WORD;
            if (at[0] == 'N' && len == 1)
                return strcmp(v->name, "cancel") == 0 ? COMPLETE_LIVE : COMPLETE_OFFERED;
            return COMPLETE_NOTHING;
        }
        at += len + strspn(at + len, " ");
    }
    return COMPLETE_NOTHING;
}

static const struct verb *verb_of(const struct verb *verbs, int count, const char *first,
                                  const char *second) {
    for (int i = 0; i < count; i++) {
        const char *name = verbs[i].name;
        size_t len = strlen(first);
        if (!second && strcmp(name, first) == 0)
            return &verbs[i];
        if (second && begins(name, first) && name[len] == ' ' &&
            strcmp(name + len + 1, second) == 0)
            return &verbs[i];
    }
    return NULL;
}

struct complete complete_find(const struct verb *verbs, int verb_count, char **words, int count) {
    const char *first = NULL, *second = NULL, *value_of = NULL;
    bool only_words = false, value = false;
    int plain = 0; /* words before the last that are no options */
    for (int i = 0; i + 1 < count; i++) {
        const char *name = only_words ? NULL : options_name(words[i], &value);
        if (value_of) {
            value_of = NULL;
        } else if (!only_words && strcmp(words[i], "--") == 0) {
            only_words = true;
        } else if (name) {
            bool apart = words[i][1] == '-' ? !strchr(words[i], '=') : words[i][2] == '\0';
            value_of = value && apart ? name : NULL;
        } else if (only_words || words[i][0] != '-' || words[i][1] == '\0') {
            first = plain == 0 ? words[i] : first;
            second = plain == 1 ? words[i] : second;
            plain++;
        }
    }
    struct complete c = {.group = "", .prefix = count > 0 ? words[count - 1] : ""};
    if (first && second)
        c.verb = verb_of(verbs, verb_count, first, second);
    int used = c.verb ? 2 : 1;
    if (first && !c.verb)
        c.verb = verb_of(verbs, verb_count, first, NULL);
    if (value_of)
        c.kind = value_kind(value_of);
    else if (!only_words && c.prefix[0] == '-')
        c.kind = COMPLETE_OPTION;
    else if (!first)
        c.kind = COMPLETE_COMMAND;
    else if (plain == 1 && (!c.verb || c.verb->max == 0)) {
        c.kind = COMPLETE_COMMAND;
        c.group = first;
    } else if (c.verb)
        c.kind = word_kind(c.verb, plain - used, &c.words);
    return c;
}

/* ---- what there is of it ---- */

/* Nothing that a terminal would obey, nor a second line or part. The word itself is for the shell:
 * as it is, or not at all. */
static void put(const struct complete *c, const char *word, const char *about) {
    if (!begins(word, c->prefix) || !escape_none(word, strlen(word)))
        return;
    fputs(word, stdout);
    putchar('\t');
    print_text(stdout, about, strlen(about));
    putchar('\n');
}

static void put_commands(const struct app *a, const struct complete *c) {
    const char *before = "";
    size_t before_len = 0, group = strlen(c->group);
    for (int i = 0; i < a->verb_count; i++) {
        const char *name = a->verbs[i].name, *blank = strchr(name, ' ');
        char word[64];
        if (!a->verbs[i].brief)
            continue;
        if (group > 0) {
            if (begins(name, c->group) && name[group] == ' ')
                put(c, name + group + 1, a->verbs[i].brief);
            continue;
        }
        size_t len = blank ? (size_t)(blank - name) : strlen(name);
        if (blank && len == before_len && memcmp(name, before, len) == 0)
            continue; /* a group is one word */
        before = name;
        before_len = len;
        snprintf(word, sizeof word, "%.*s", (int)len, name);
        put(c, word, blank ? "" : a->verbs[i].brief);
    }
}

static void put_words(const struct complete *c) {
    for (const char *at = c->words; *at && *at != ' ';) {
        const size_t len = strcspn(at, "| ");
        char word[32];
        snprintf(word, sizeof word, "%.*s", (int)len, at);
        put(c, word, "");
        at += len + (at[len] == '|');
    }
}

static void put_options(const struct complete *c) {
    const char *name;
    bool value;
    for (int i = 0; (name = options_at(i, &value)) != NULL; i++) {
        char word[64];
        bool here =
            c->verb ? options_list_has(c->verb->options, name) : strcmp(name, "version") == 0;
        snprintf(word, sizeof word, "--%s", name);
        if (here || options_for_all(name))
            put(c, word, "");
    }
}

/* What the daemon has in a list; nothing, without a word, if it does not answer. */
static json_t *ask(struct app *a, const char *method, const char *key) {
    struct proto_msg m;
    json_t *all = NULL;
    app_ask(a, method);
    if (app_answer(a, COMPLETE_ANSWER_US, &m) == 0)
        all = json_from(proto_get(&m.result, key));
    proto_msg_clear(&m);
    return json_is_array(all) ? all : json_array();
}

static void put_contacts(struct app *a, const struct complete *c, const char *before) {
    json_t *all = ask(a, "contact.list", "contacts"), *o;
    size_t i;
    json_array_foreach(all, i, o) {
        char word[256];
        const char *name = json_string_value(json_object_get(o, "name"));
        bool online = json_is_true(json_object_get(o, "online"));
        snprintf(word, sizeof word, "%s%s", before, name ? name : "");
        if (name)
            put(c, word, online ? "online" : "offline");
    }
    json_decref(all);
}

static void put_transfers(struct app *a, const struct complete *c) {
    json_t *all = ask(a, "transfer.list", "transfers"), *o;
    size_t i;
    json_array_foreach(all, i, o) {
        char word[32], about[256];
        const char *state = json_string_value(json_object_get(o, "state"));
        const char *contact = json_string_value(json_object_get(o, "contact"));
        bool out = json_is_true(json_object_get(o, "outgoing"));
        if (!state || !contact || strcmp(state, "done") == 0 || strcmp(state, "failed") == 0 ||
            (c->kind == COMPLETE_OFFERED && (out || strcmp(state, "offered") != 0)))
            continue;
        snprintf(word, sizeof word, "%lld",
                 (long long)json_integer_value(json_object_get(o, "id")));
        snprintf(about, sizeof about, "%s %s, %s", out ? "to" : "from", contact, state);
        put(c, word, about);
    }
    json_decref(all);
}

/* The options in the words say which daemon is asked; its errors are not for the command line. */
static bool reach(struct app *a) {
    static char *words[1024];
    char message[OPTIONS_MESSAGE_MAX];
    struct options o;
    int count = 0;
    if (a->word_count >= 1024)
        return false;
    char *argv[1025] = {NULL};
    for (int i = 0; i + 1 < a->word_count; i++)
        argv[i + 1] = a->words[i];
    if (options_parse(&o, a->word_count, argv, words, &count, message) != 0)
        return true; /* half of a command: the environment's */
    return app_find_socket(a, &o) == 0;
}

int run_complete(struct app *a) {
    struct complete c = complete_find(a->verbs, a->verb_count, a->words, a->word_count);
    a->quiet = true;
    switch (c.kind) {
    case COMPLETE_COMMAND:
        put_commands(a, &c);
        break;
    case COMPLETE_OPTION:
        put_options(&c);
        break;
    case COMPLETE_CONTACT:
        if (reach(a))
            put_contacts(a, &c, "");
        break;
    case COMPLETE_CONDITION:
        put(&c, "ready", "meshd answers");
        if (reach(a)) {
            put_contacts(a, &c, "peer=");
            put_contacts(a, &c, "contact=");
        }
        break;
    case COMPLETE_OFFERED:
    case COMPLETE_LIVE:
        if (reach(a))
            put_transfers(a, &c);
        break;
    case COMPLETE_WORD:
        put_words(&c);
        break;
    case COMPLETE_FILE:
        puts("\tfiles");
        break;
    case COMPLETE_DIR:
        puts("\tdirs");
        break;
    case COMPLETE_NOTHING:
        break;
    }
    return 0;
}
