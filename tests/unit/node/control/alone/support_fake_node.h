/* support_fake_node.h: the functions of node/node.h that the control API calls, without a node:
 * what they give is in `fake`, what they were asked is in its log.
 */
#ifndef MESHD_TESTS_SUPPORT_FAKE_NODE_H
#define MESHD_TESTS_SUPPORT_FAKE_NODE_H

#include "node/node.h"

enum { FAKE_MAX = 400, FAKE_LOG = 64 };

struct fake {
    struct contact_info contacts[FAKE_MAX];
    unsigned contact_count;
    struct transfer_info transfers[FAKE_MAX];
    unsigned transfer_count;
    struct message_info messages[FAKE_MAX];
    unsigned message_count;
    unsigned files;          /* of every transfer */
    uint64_t standing;       /* receptions that stand: a bit for each id */
    int err;                 /* what commands give */
    uint64_t id;             /* what they number */
    char log[FAKE_LOG][100]; /* commands, oldest first */
    unsigned log_count;
};
extern struct fake fake;

void fake_reset(void);
struct contact_info *fake_contact(const char *name, enum contact_state state);
struct transfer_info *fake_transfer(uint64_t id, bool outgoing, enum transfer_state state);
struct message_info *fake_message(uint64_t seq, const char *contact, bool outgoing);
/* How often exactly this was asked. */
unsigned fake_asked(const char *what);

#endif
