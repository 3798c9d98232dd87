/* support_hub.h: one endpoint (number 0) with several contacts, for the question what one of them
 * can take from the others. Datagrams arrive at once; the clock moves in steps of a millisecond. */
#ifndef MESHD_TESTS_SUPPORT_HUB_H
#define MESHD_TESTS_SUPPORT_HUB_H

#include <stdbool.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"
#include "support_at.h"

enum { HUB_MAX = 24, HUB_EVENTS = EP_KEY_TOLD + 1 };

struct hub {
    uint64_t seed, now_us;
    unsigned count; /* with number 0 */
    struct identity id[HUB_MAX];
    struct endpoint *ep[HUB_MAX];
    struct addr addr[HUB_MAX];
    struct session_ref at0[HUB_MAX];          /* of number 0 with each contact */
    struct session_ref mine[HUB_MAX];         /* of each contact with number 0 */
    bool deaf[HUB_MAX];                       /* what number 0 sends does not reach it */
    bool lossy[HUB_MAX];                      /* one datagram of twenty is lost, each way */
    bool unheard;                             /* number 0 is not polled */
    unsigned told[HUB_MAX][HUB_EVENTS];       /* by number 0, of the session with each contact */
    uint64_t read[HUB_MAX], read_at[HUB_MAX]; /* bytes read from each by number 0, and by each */
    bool slow[HUB_MAX];                       /* number 0 reads nothing of it */
};

struct hub *hub_new(unsigned contacts); /* all with a session */
void hub_free(struct hub *h);
void hub_run(struct hub *h, uint64_t us);
/* Hears what number 0 has to tell, and reads. */
void hub_hear(struct hub *h);
/* A packet of contact i with these frames, wherever it thinks it is. */
void hub_hostile(struct hub *h, unsigned i, const void *frames, size_t len);
/* One STREAM frame in a packet of its own. */
void hub_bytes(struct hub *h, unsigned i, uint64_t stream, uint64_t offset, size_t len);
struct session *hub_session(const struct hub *h, unsigned i); /* number 0's; NULL: gone */
/* Fails unless `len` bytes come through both ways between number 0 and contact i. */
void hub_works_for(struct hub *h, unsigned i, size_t len);

#endif
