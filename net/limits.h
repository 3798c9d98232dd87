/* limits.h: every bound of the protocol in one place, with the reason and what happens at it. */
#ifndef MESHD_NET_LIMITS_H
#define MESHD_NET_LIMITS_H

enum {
    /* Datagrams. 1,200 bytes pass everywhere IPv6 does (RFC 9000 §14); nothing larger is sent
     * before PLPMTUD has shown that it fits. */
    MTU_BASE_BYTES = 1200,
    /* What is sent where 1,200 do not pass (tunnels in tunnels): every host takes an IPv4 packet of
     * 576 (RFC 791; RFC 8899 MIN_PLPMTU). No message of the handshake is larger. */
    MTU_MIN_BYTES = 548,
    MTU_MAX_BYTES = 65507,   /* largest UDP payload over IPv4 */
    TRAIN_MAX_BYTES = 65507, /* one UDP_SEGMENT send */
    TRAIN_MAX_SEGMENTS = 64, /* Linux: UDP_MAX_SEGMENTS */

    /* Sessions and peers. When full: a new one is refused (ERR_FULL); contacts come first, since
     * strangers never get a session. */
    PEERS_MAX = 1 << 20,
    TICKETS_OPEN_MAX = 64, /* one-time secrets waiting to be used; the oldest one is dropped */
    /* Answered but unconfirmed handshakes of strangers, who come in by an open ticket. Contacts have
     * one each, and our own dials do not count. The ticket with most of them pays, and of these the
     * source (IPv4 address, IPv6 /56) with most: its oldest is dropped. */
    HALF_OPEN_MAX = 256,
    CONTROL_QUEUE_MAX = 256, /* handshake and cookie packets waiting to be sent; further ones are
                              * dropped, the other side repeats */
    EVENTS_MAX = 65536,      /* unread events; readiness events are merged, so this is never reached
                              * by a reader that polls once a turn */

    /* Handshakes (docs/PROTOCOL.md). */
    HANDSHAKE_RETRY_US = 250 * 1000, /* first repetition */
    HANDSHAKE_RETRY_MAX_US = 700 * 1000,
    HANDSHAKE_ATTEMPT_US = 8 * 1000000, /* then the attempt has failed: the peer is offline */
    /* An INITIATION that is read and answered costs four X25519, one key and one signature: 200 us
     * (measured, 2.1 GHz). Above the first limit, in messages a second, only those are read that
     * have a cookie; and of these, in all, one in HANDSHAKE_ALL_US. That is 4 % and 16 %: a fifth
     * of one core at worst, and 10^5 sessions that rekey every 120 s fit in. A source is an IPv4
     * address or an IPv6 /56: 20 a second serve 2,400 sessions behind one NAT. What is beyond is
     * dropped; the initiator repeats. Of a full table the source that owes least gives way. */
    HANDSHAKE_LOAD_PER_S = 200,
    HANDSHAKE_ALL_US = 1250,
    HANDSHAKE_ALL_BURST = 100,
    HANDSHAKE_SOURCE_US = 50 * 1000,
    HANDSHAKE_SOURCE_BURST = 40,
    HANDSHAKE_SOURCES_MAX = 256,
    HANDSHAKE_MISFITS_MAX = 16, /* answers to one attempt that do not fit; then no further is read:
                                 * each costs two X25519 */
    HANDSHAKE_REFUSED_US = 1000 * 1000, /* so long after a refusal a better answer may still come */
    /* What RETRYs, which anybody can forge, may cost an attempt: fresh INITIATIONs; and the same one
     * sent again for a cookie at once (later ones go with the next repetition). */
    HANDSHAKE_REBUILDS = 3,
    HANDSHAKE_COOKIES = 3,
    CONFIRM_RETRY_US = 250 * 1000, /* first repetition; then a quarter more each time, up to */
    CONFIRM_RETRY_MAX_US = 1000 * 1000,
    CONFIRM_TRIES = 20,                /* in all */
    REKEY_RESPONDER_US = 15 * 1000000, /* the responder begins a rekey only so much later */
    OPEN_YIELD_US = 1000 * 1000,       /* simultaneous open: the winner insists so long */
    REKEY_PAUSE_US = 1000 * 1000,      /* after a failed rekey, doubled each time, up to */
    REKEY_PAUSE_MAX_US = 8 * 1000000,
    HALF_OPEN_US = 10 * 1000000,     /* an unconfirmed answer is forgotten after this */
    SESSION_IDLE_US = 540 * 1000000, /* keys of an unused session are wiped: 3 x reject time */
    SESSION_SILENT_US = 5 * 1000000, /* sent, but nothing heard: a new handshake is tried */
    SESSION_DEAD_US = 16 * 1000000,  /* nor then: the session ends. An outage of 12 s at any moment
                                        * is survived, with room for the repetition after it */

    ANSWERS_PER_PACKET =
        8, /* CONFIRMED and ECHOED for one packet: an honest one asks once or twice */

    /* Streams. */
    STREAMS_MAX = 4096,                 /* per session and direction of opening */
    STREAM_BLOCK_BYTES = 65536,         /* unit of send and receive memory */
    STREAM_WINDOW_BYTES = 512 * 1024,   /* initial receive credit of a stream */
    STREAM_WINDOW_MAX_BYTES = 80 << 20, /* auto-tuning stops here */
    SESSION_WINDOW_BYTES = 1 << 20,
    SESSION_WINDOW_MAX_BYTES = 96 << 20,
    STREAM_SEND_BUFFER_BYTES = 1 << 20, /* unsent bytes a stream takes before it says ERR_AGAIN */
    STREAM_RANGES_MAX = 1024,           /* gaps remembered per stream; beyond: the packet is dropped
                                         * unacknowledged and will be sent again */
    ACK_RANGES_MAX = 64,                /* received-packet ranges kept and sent; oldest forgotten */
    SENT_PKTS_MAX = 1 << 17,            /* packets in flight; beyond: no new data is sent */
    SKIP_DISTANCE_MIN_PKTS = 128,       /* packet numbers left out are at least so far apart... */
    SKIPPED_PNS_MAX = SENT_PKTS_MAX / SKIP_DISTANCE_MIN_PKTS, /* ...so no more are in flight */
    DATAGRAM_QUEUE_MAX = 128,  /* outgoing datagrams; beyond: the oldest is dropped */
    DATAGRAM_MAX_BYTES = 1100, /* fits a packet of MTU_BASE_BYTES */

    /* Messages that have come (node/history). A contact may fill its own share, all of them
     * together the second one; beyond: answered with ERR_FULL, which the user sees and can end by
     * deleting. A message counts with its text and MESSAGE_OVERHEAD_BYTES. */
    MESSAGES_CONTACT_BYTES_MAX = 32 << 20,
    MESSAGES_CONTACT_MAX = 100000,
    MESSAGES_BYTES_MAX = 512 << 20,
    MESSAGES_MAX = 2000000,
    MESSAGE_OVERHEAD_BYTES = 256,
    MESSAGES_KNOWN_KEPT = 256, /* ids of deleted ones kept per conversation, so that a repetition
                                   * is known; the oldest is forgotten */
    MESSAGES_UNANSWERED_MAX =
        96,                     /* of one contact, stored but not answered yet; beyond: ERR_AGAIN */
    MESSAGES_DELETE_STEP = 256, /* deleted in one step */
};

#endif
