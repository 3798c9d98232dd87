/* options.h: the command line: options and words in any order, "--" ends the options, "-" is a
 * word. Which options a verb takes is its own list, so that one it would ignore is an error.
 */
#ifndef MESHD_CLI_KIT_OPTIONS_H
#define MESHD_CLI_KIT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"

/* X(member, long name, short name or 0). The first list takes a value. */
#define OPTIONS_WITH_VALUE(X)                                                                      \
    X(socket, "socket", 0)                                                                         \
    X(state, "state", 0)                                                                           \
    X(timeout, "timeout", 't')                                                                     \
    X(condition, "for", 0)                                                                         \
    X(name, "name", 0)                                                                             \
    X(as, "as", 0)                                                                                 \
    X(ttl, "ttl", 0)                                                                               \
    X(file, "file", 'f')                                                                           \
    X(out, "out", 'o')                                                                             \
    X(from, "from", 0)                                                                             \
    X(with, "with", 0)                                                                             \
    X(after, "after", 0)                                                                           \
    X(count, "count", 'c')
#define OPTIONS_FLAGS(X)                                                                           \
    X(json, "json", 0)                                                                             \
    X(once, "once", 0)                                                                             \
    X(detach, "detach", 0)                                                                         \
    X(follow, "follow", 0)                                                                         \
    X(delete, "delete", 0)                                                                         \
    X(help, "help", 'h')                                                                           \
    X(version, "version", 0)

struct options { /* NULL or false: not given */
#define X(member, long_name, short_name) const char *member;
    OPTIONS_WITH_VALUE(X)
#undef X
#define X(member, long_name, short_name) bool member;
    OPTIONS_FLAGS(X)
#undef X
};

enum { OPTIONS_MESSAGE_MAX = 256 };

/* Sorts argv[1..argc) into *o and words; `words` has room for argc pointers. ERR_USAGE with a
 * sentence. */
int options_parse(struct options *o, int argc, char **argv, char **words, int *word_count,
                  char message[static OPTIONS_MESSAGE_MAX]) MUST_USE;
/* ERR_USAGE if something was given that is neither in `allowed` (long names, separated by blanks)
 * nor
 * --socket, --state, --json or --help. */
int options_allow(const struct options *o, const char *allowed,
                  char message[static OPTIONS_MESSAGE_MAX]) MUST_USE;

/* The long name of the option that this argument begins ("--out", "--out=x", "-o"), and whether it
 * takes a value; NULL if there is none. */
const char *options_name(const char *arg, bool *value);
/* The i-th option's long name, NULL past the last. */
const char *options_at(int i, bool *value);
/* Whether a list of long names, separated by blanks, has this one. */
bool options_list_has(const char *list, const char *name);
/* Those that every command takes. */
bool options_for_all(const char *name);

/* "1.5", "250ms", "30s", "5m", "2h", "1d" (seconds without a unit) into us; less than 30 years. */
bool options_duration(const char *text, uint64_t *us);
/* Decimal digits only. */
bool options_number(const char *text, uint64_t *v);

#endif
