/* invariants.h: the protocol's invariants, checked by code that shares nothing with the protocol's
 * own: it reads the wire format by docs/PROTOCOL.md, keeps its own memory of counters, and verifies
 * signatures with libcrypto where the core uses libsodium. It knows what the world knows (which
 * host really sent a datagram) and no node can see.
 *
 *   unsigned_accept   a node accepts a certificate that its id did not sign, or an honest one shows
 *                     such a one
 *   wrong_peer        a session took packets that its peer did not send, or names another id than
 *                     the host it is with
 *   nonce_reuse       two packets sealed with one counter under one key
 *   replayed          a packet of one key and counter opened and taken twice
 *   amplification     more than three times as many bytes to an address as came from it, before it
 *                     was proven
 *   private_address   a private address of a host, in clear, in a datagram that reaches a host
 *                     which is no contact
 *   seq_backwards     a certificate's sequence number, or the order of messages of one sender, went
 *                     backwards
 *   livelock          too many turns in a second, or no rest at one instant
 *   table_caps        more sessions than contacts, or more half-open handshakes than allowed
 *   memory            a node that was ever above WATCH_NODE_BYTES
 *   leak              a node that ended did not give all its memory back, or a packet was lost
 *                     track of
 *   wrong_bytes       a file that is not what was sent
 *   misdelivered      a message at a node that it was not for, or from whom did not write it
 *   partial_file      a file under its final name that does not have all its bytes
 *   used_ticket       somebody is let in by a ticket that another has used before
 *   confirmed_lost    a message or file that its sender was told is there, and it is not
 *   forbidden_address a packet to or from a place that the policy of a host's paths forbids, or an
 *                     own address in clear in what a host with relay_only sends
 *   crossed_flows     a relay forwards what did not come by the other end of the flow, or not from
 *                     who has used that from the beginning on
 *   relay_amplification  a relay sends more of others' packets than came, or to a place that has
 *                     not spoken
 *   relay_delay       a packet left a relay later than its queue may last
 *
 * What a hostile host adds to its node's traffic is not told to the watch; its node is an honest
 * one. Bounded: per key at most WATCH_GAPS gaps are remembered, what is older is not judged any
 * more.
 */
#ifndef MESHD_SIM_INVARIANTS_INVARIANTS_H
#define MESHD_SIM_INVARIANTS_INVARIANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/addr.h"
#include "sim/invariants/policy_watch.h"

enum invariant {
    NEVER_UNSIGNED_ACCEPT,
    NEVER_WRONG_PEER,
    NEVER_NONCE_REUSE,
    NEVER_REPLAYED,
    NEVER_AMPLIFICATION,
    NEVER_PRIVATE_ADDRESS,
    NEVER_SEQ_BACKWARDS,
    NEVER_LIVELOCK,
    NEVER_TABLE_CAPS,
    NEVER_MEMORY,
    NEVER_LEAK,
    NEVER_WRONG_BYTES,
    NEVER_MISDELIVERED,
    NEVER_PARTIAL_FILE,
    NEVER_CONFIRMED_LOST,
    NEVER_USED_TICKET,
    NEVER_FORBIDDEN_ADDRESS,
    NEVER_CROSSED_FLOWS,
    NEVER_RELAY_AMPLIFICATION,
    NEVER_RELAY_DELAY,
    INVARIANTS,
};
const char *invariant_name(enum invariant i);
bool invariant_find(const char *name, enum invariant *out);

enum {
    WATCH_GAPS = 512,
    WATCH_NODE_BYTES = 64 << 20,
    WATCH_TURNS_PER_S = 100000, /* and 100 for each datagram in or out */
    WATCH_AMPLIFICATION = 3,
    /* Initiations to an address that has sent something first, before they count like answers: a
     * node may dial it all the same. The core repeats one every 250 to 700 ms. */
    WATCH_DIAL_BURST = 8,
    WATCH_DIAL_MS = 500,
    WATCH_HALF_OPEN_MAX = 256, /* docs/PROTOCOL.md: half-open handshakes of strangers */
};

struct watch;

struct watch *watch_new(void); /* aborts when out of memory, like all here */
void watch_free(struct watch *w);

struct watch_verdict {
    uint64_t judged; /* how often it was really looked at: with 0 it is not known to hold */
    uint64_t count;
    uint64_t first_ns;
    char text[160]; /* about the first one; empty if there is none */
};
const struct watch_verdict *watch_verdict(const struct watch *w, enum invariant i);
/* The caller has looked at something, and would have said so. */
void watch_judged(struct watch *w, enum invariant i);
/* Something is wrong that the caller itself has seen. */
void watch_broken(struct watch *w, enum invariant i, uint64_t now_ns, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- what the world tells. Hosts are numbers; names are for the texts. ---- */
void watch_host(struct watch *w, uint32_t host, const char *name);
void watch_contact(struct watch *w, uint32_t a, uint32_t b);
/* Its addresses from now on. */
void watch_addresses(struct watch *w, uint32_t host, const struct addr *addrs, unsigned count);
/* The policy of its paths from now on, and whether it serves as a relay. */
void watch_policy(struct watch *w, uint32_t host, enum watch_policy policy, bool relay);
/* It was suspended or stalled, and runs again: what it has held meanwhile could not leave. */
void watch_resumed(struct watch *w, uint64_t now_ns, uint32_t host);

struct watch_cert {
    const uint8_t *id, *transport; /* 32 bytes each */
    const uint8_t *signature;      /* 64 bytes */
    uint64_t seq;
    bool checkable; /* signatures are real ones */
    bool forged;    /* a hostile host's: nobody may accept it */
};
/* A node starts its next life and will show this. */
void watch_started(struct watch *w, uint64_t now_ns, uint32_t host, const struct watch_cert *c);
/* `host` has a new session with `with`, whose certificate it must have looked at. */
void watch_accepted(struct watch *w, uint64_t now_ns, uint32_t host, uint32_t with);

struct watch_packet {
    uint32_t from; /* the host that really sent it */
    uint32_t at;   /* where it is now: the sender or the receiver */
    const struct addr *src, *dst;
    const uint8_t *data;
    uint32_t len;
    bool liar; /* its sender is hostile: what it sends says nothing about nodes */
};
/* It leaves a node (before any link). */
void watch_sent(struct watch *w, uint64_t now_ns, const struct watch_packet *p);
/* A node has been given it; `accepted`: it has opened it as DATA. */
void watch_received(struct watch *w, uint64_t now_ns, const struct watch_packet *p, bool accepted);
/* A packet was sealed, or opened and found right, under this 32-byte key. Where the linker does not
 * let the world see it, nonce_reuse and replayed are not judged. */
void watch_sealed(struct watch *w, uint64_t now_ns, uint32_t host, const uint8_t *key,
                  uint64_t counter);
void watch_opened(struct watch *w, uint64_t now_ns, uint32_t host, const uint8_t *key,
                  uint64_t counter);
/* A session of `host`, which it believes to be with `with`, has taken so many packets since the
 * node started. */
void watch_session(struct watch *w, uint64_t now_ns, uint32_t host, uint32_t with,
                   uint64_t packets);
void watch_turn(struct watch *w, uint64_t now_ns, uint32_t host);

#endif
