#include "node/base/path_words.h"

#include <string.h>

const char *path_policy_word(enum path_policy p) {
    switch (p) {
    case PATH_AUTO:
        break;
    case PATH_RELAY_ONLY:
        return "relay_only";
    case PATH_DIRECT_ONLY:
        return "direct_only";
    }
    return "auto";
}

int path_policy_parse(enum path_policy *out, const char *word) {
    static const enum path_policy all[] = {PATH_AUTO, PATH_RELAY_ONLY, PATH_DIRECT_ONLY};
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(path_policy_word(all[i]), word) == 0) {
            *out = all[i];
            return 0;
        }
    return ERR_FORMAT;
}
