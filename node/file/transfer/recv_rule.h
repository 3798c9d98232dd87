/* recv_rule.h: standing orders where to put what comes: node_recv_start's, and the configuration's.
 * A plain table: who adds a rule offers it what waits already (node/file/file_channel.h).
 */
#ifndef MESHD_NODE_FILE_TRANSFER_RECV_RULE_H
#define MESHD_NODE_FILE_TRANSFER_RECV_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/identity/identity.h"
#include "node/file/transfer/transfer_info.h"

enum {
    RECV_RULES_MAX = 64, /* further ones are refused with ERR_FULL */
    RECV_DIR_MAX = 1024, /* with its NUL */
};

struct recv_rule {
    uint64_t id;
    bool once, any; /* any: from every contact, else from this one, whatever it is called */
    struct node_id from;
    char dir[RECV_DIR_MAX];
};
struct recv_rules { /* zeroes = empty, and everything is asked for */
    enum accept_rule accept;
    char download_dir[RECV_DIR_MAX];
    struct recv_rule *list;
    uint32_t count, cap;
    uint64_t last_id;
};

void recv_rules_clear(struct recv_rules *rules);
/* The directory meant: `dir`, or the configuration's if it is NULL. NULL: there is none, or it is
 * too long. */
const char *recv_dir(const struct recv_rules *rules, const char *dir);
/* From this contact, or from every one if `from` is NULL. `dir` is one of recv_dir's. ERR_FULL,
 * ERR_NOMEM. */
int recv_rule_add(struct recv_rules *rules, const char *dir, const struct node_id *from, bool once,
                  uint64_t *id) MUST_USE;
/* Where a transfer from this contact goes without asking: by the oldest rule that fits, which is
 * used up if it holds once, or by the configuration (*rule is 0 then). False: it has to be asked
 * for. */
bool recv_rule_apply(struct recv_rules *rules, const struct node_id *from,
                     char dir[static RECV_DIR_MAX], uint64_t *rule);

/* As node_recv_stop and node_recv_stands. */
void recv_rule_stop(struct recv_rules *rules, uint64_t id);
bool recv_rule_stands(const struct recv_rules *rules, uint64_t id);

#endif
