/* complete.h: what the word under the cursor could become, found by the tables of verbs and
 * options, so that the shells' scripts know none of them. Pure: takes the tables and the words.
 */
#ifndef MESHD_CLI_VERBS_COMPLETE_H
#define MESHD_CLI_VERBS_COMPLETE_H

#include "cli/kit/app.h"

enum complete_kind {
    COMPLETE_NOTHING, /* anything may stand there */
    COMPLETE_COMMAND, /* of the group, if that is not "" */
    COMPLETE_OPTION,  /* of the verb, or if that is NULL of meshctl */
    COMPLETE_CONTACT,
    COMPLETE_CONDITION, /* of wait --for */
    COMPLETE_OFFERED,   /* a transfer that waits to be accepted */
    COMPLETE_LIVE,      /* a transfer that has not ended */
    COMPLETE_WORD,      /* one of a few, "a|b|c" */
    COMPLETE_FILE,
    COMPLETE_DIR,
};

struct complete {
    enum complete_kind kind;
    const char *group; /* the first word of commands of two */
    const struct verb *verb;
    const char *words;  /* of COMPLETE_WORD: they end with a blank or the text */
    const char *prefix; /* what the word begins with */
};

/* words[0..count) after "meshctl", the last one as far as it is written. */
struct complete complete_find(const struct verb *verbs, int verb_count, char **words, int count);

#endif
