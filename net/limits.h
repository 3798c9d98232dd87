/* limits.h: every bound of the protocol in one place, with the reason and what happens at it. */
#ifndef MESHD_NET_LIMITS_H
#define MESHD_NET_LIMITS_H

enum {
    /* Datagrams. 1,200 bytes pass everywhere IPv6 does (RFC 9000 §14); nothing larger is sent
     * before PLPMTUD has shown that it fits. */
    MTU_BASE_BYTES = 1200,
    MTU_MAX_BYTES = 65507,   /* largest UDP payload over IPv4 */
    TRAIN_MAX_BYTES = 65507, /* one UDP_SEGMENT send */
    TRAIN_MAX_SEGMENTS = 64, /* Linux: UDP_MAX_SEGMENTS */

    /* Sessions and peers. When full: a new one is refused (ERR_FULL); contacts come first, since
     * strangers never get a session. */
    PEERS_MAX = 1 << 20,
    TICKETS_OPEN_MAX = 64, /* one-time secrets waiting to be used; the oldest one is dropped */
    HALF_OPEN_MAX = 256,   /* answered but unconfirmed handshakes of strangers; oldest dropped */

    /* Small packets waiting to be sent (net/small_queue.h); further ones of a kind are dropped, the
     * other side repeats or we do. */
    SMALL_SESSION_MAX = 1024,   /* a few session frames, */
    SMALL_PER_SESSION_MAX = 16, /* and of one session; answers to what it asks: half */
    SMALL_ATTEMPT_MAX = 256,    /* our own INITIATIONs */
    SMALL_ANSWER_MAX = 256,     /* RESPONSEs */
    SMALL_RETRY_MAX = 256,

    EVENTS_MAX = 65536,             /* unread events; readiness events are merged */
    EVENTS_SESSION_MAX = 8192,      /* of one session's streams; more: the frame counts as lost */
    EVENTS_SESSION_SURE = 64,       /* who has fewer may go into the last quarter */
    EVENTS_NOISE_SESSION_MAX = 512, /* datagrams and echoes of one session; more are dropped */

    /* Handshakes (docs/PROTOCOL.md). */
    HANDSHAKE_RETRY_US = 250 * 1000, /* first repetition */
    HANDSHAKE_RETRY_MAX_US = 700 * 1000,
    HANDSHAKE_ATTEMPT_US = 8 * 1000000, /* then the attempt has failed: the peer is offline */
    HANDSHAKE_LOAD_PER_S = 200, /* above: answered only with a cookie (about 4 % of a core) */
    HANDSHAKE_REFUSED_US = 1000 * 1000, /* so long after a refusal a better answer may still come */
    CONFIRM_RETRY_US = 250 * 1000,
    CONFIRM_TRIES = 20,
    REKEY_RESPONDER_US = 15 * 1000000, /* the responder begins a rekey only so much later */
    OPEN_YIELD_US = 1000 * 1000,       /* simultaneous open: the winner insists so long */
    HALF_OPEN_US = 10 * 1000000,       /* an unconfirmed answer is forgotten after this */
    SESSION_IDLE_US = 540 * 1000000,   /* keys of an unused session are wiped: 3 x reject time */
    SESSION_SILENT_US = 5 * 1000000,   /* sent, but nothing heard: a new handshake is tried */

    ANSWERS_PER_PACKET =
        8, /* CONFIRMED and ECHOED for one packet: an honest one asks once or twice */

    /* Streams. */
    STREAMS_MAX = 4096,                 /* per session and direction of opening */
    STREAMS_ALL_MAX = 65536,            /* opened by peers, of all sessions (24 MiB) */
    STREAMS_SURE = 16,                  /* a session may have so many in any case */
    STREAM_WINDOW_BYTES = 512 * 1024,   /* initial receive credit of a stream */
    STREAM_WINDOW_MAX_BYTES = 80 << 20, /* auto-tuning stops here */
    SESSION_WINDOW_BYTES = 1 << 20,
    SESSION_WINDOW_MAX_BYTES = 96 << 20,
    STREAM_SEND_BUFFER_BYTES = 1 << 20, /* unsent bytes a stream takes before it says ERR_AGAIN */
    STREAM_RANGES_MAX = 1024,           /* gaps remembered per stream; beyond: the packet is dropped
                               * unacknowledged and will be sent again */
    SESSION_GAPS_MAX = 4096,            /* of all streams of a session; likewise */
    ACK_RANGES_MAX = 64,                /* received-packet ranges kept and sent; oldest forgotten */
    SENT_PKTS_MAX = 1 << 17,            /* packets in flight; beyond: no new data is sent */
    SENT_ALL_MAX = 1 << 18,             /* records of all sessions (46 MiB) */
    SENT_SURE_PKTS = 1024,              /* a session may have so many in any case */
    DATAGRAM_QUEUE_MAX = 128,           /* outgoing datagrams; beyond: the oldest is dropped */
    DATAGRAM_MAX_BYTES = 1100,          /* fits every path */

    /* Their memory (net/block.h). */
    STREAM_BLOCK_BYTES = 65536,
    SHARE_FACTOR = 8,             /* a session may hold so many times what is free (net/share.h) */
    SHARE_FACTOR_AHEAD = 6,       /* ahead of a gap: so that what fills it finds room */
    RECV_SURE_BYTES = 128 * 1024, /* and so much of the reserve: the largest packet in pieces */
    SEND_SURE_BYTES = 64 * 1024,
    RECV_RECLAIM_BYTES = 2 << 20, /* who holds more, */
    RECV_STALL_US = 30 * 1000000, /* and could read nothing for so long, gives it to who needs it */
    RECV_RECLAIM_EVERY_US = 1000 * 1000,
};

#endif
