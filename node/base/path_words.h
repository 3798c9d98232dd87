/* path_words.h: a path policy (net/base/path_policy.h) as settings, commands and answers write
 * it. */
#ifndef MESHD_NODE_BASE_PATH_WORDS_H
#define MESHD_NODE_BASE_PATH_WORDS_H

#include "crypto/base/err.h"
#include "net/base/path_policy.h"

#define PATH_WORDS "auto, relay_only, direct_only"

const char *path_policy_word(enum path_policy p);                        /* static */
int path_policy_parse(enum path_policy *out, const char *word) MUST_USE; /* ERR_FORMAT */

#endif
