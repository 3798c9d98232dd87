/* mutants.h: which faults there are, and which of them is at work. mutants.c: of nodes, and the
 * choice; mutants_paths.c: of paths and relays. */
#ifndef MESHD_TESTS_SIM_MUTANTS_H
#define MESHD_TESTS_SIM_MUTANTS_H

#include <stdbool.h>

/* name, what is wrong with it */
#define MUTANTS(X)                                                                                 \
    X(SEND_REFUSES, "send-refuses")             /* node_send always says no */                     \
    X(MESSAGE_REFUSES, "message-refuses")       /* node_message_send does */                       \
    X(STORE_FAILS, "store-fails")               /* every write of the store gives an error */      \
    X(STORE_FAILS_LATER, "store-fails-later")   /* from the 40th of a node on */                   \
    X(NEVER_DIALS, "never-dials")               /* nothing is sent to begin a session */           \
    X(NEVER_CALLS, "never-calls")               /* no contact is dialled unless somebody asks */   \
    X(CALLS_ONCE, "calls-once")                 /* who does not answer or was lost is given up */  \
    X(STAYS_AWAY, "stays-away")                 /* a change of the network is not noticed */       \
    X(REPLAYS, "replays")                       /* there is no replay window */                    \
    X(NEVER_REPEATS, "never-repeats")           /* what was lost is not sent again */              \
    X(NEVER_REKEYS, "never-rekeys")             /* a session keeps its first keys */               \
    X(ANY_CERT, "any-cert")                     /* certificates are not verified */                \
    X(TICKET_TWICE, "ticket-twice")             /* a ticket can be used again and again */         \
    X(MESSAGE_TWICE, "message-twice")           /* what is sent again is taken for a new one */    \
    X(MESSAGE_FORGOTTEN, "message-forgotten")   /* some are confirmed and not stored */            \
    X(MESSAGE_ASTRAY, "message-astray")         /* they are stored as from another contact */      \
    X(OUTBOX_FORGOTTEN, "outbox-forgotten")     /* a restart forgets what waits */                 \
    X(HASTY_RECEIPT, "hasty-receipt")           /* said to be safe before the barrier */           \
    X(UNVERIFIED_FILE, "unverified-file")       /* a part is not written, and nobody looks */      \
    X(NAME_UNSAFE, "name-unsafe")               /* the directory is not synced before "done" */    \
    X(LEAKS, "leaks")                           /* sets of ranges are not freed */                 \
    X(NEVER_DOUBLES, "never-doubles")           /* data of a suspect path goes by that alone */    \
    X(COLD_STANDBY, "cold-standby")             /* other paths are never asked */                  \
    X(FICKLE, "fickle")                         /* what is better in one sample is better */       \
    X(UNFORGIVING, "unforgiving")               /* a path that has failed is never asked again */  \
    X(RELAY_ONLY_ANSWERS, "relay-only-answers") /* who calls at an address is answered there */    \
    X(RELAY_MIXES, "relay-mixes")               /* a relay forwards into another flow */           \
    X(RELAY_FOR_ANYBODY, "relay-for-anybody")   /* and from who is not the flow's client */        \
    X(LONG_ANSWER, "long-answer")               /* and tells its key to who asked in 12 bytes */

enum mutant {
    MUTANT_NONE,
#define X(id, name) MUTANT_##id,
    MUTANTS(X)
#undef X
};

bool is(enum mutant m);

/* In front of the core's function of this name. */
#define REAL(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

#endif
