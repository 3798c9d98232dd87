/* limits.h: every bound of the protocol in one place, with the reason and what happens at it. */
/* Whose share it is: what bounds each pool, queue and table, what one session has of it at most,
 * and what happens at the bound, so that nobody takes what is others'. "8 x free": a session may
 * hold eight times what is free (net/base/share.h). "sure": it has so much in any case. Below each
 * row is the test that holds it (tests/unit/net/test_*.c).
 *
 *   what                        in all              one session                   at the bound
 *
 *   memory for what is received 15/16 of the pool   8 x free, 128 KiB sure        the packet counts
 *   as lost
 *       block: one_session_leaves_a_share_to_the_next, the_two_uses_do_not_take_each_others_room
 *       shares: who_holds_much_leaves_enough_to_the_next
 *     held, for few bytes       -                   4 x the bytes + 256 KiB       pieces of 1 KiB
 *       shares: bytes_ahead_of_a_gap_take_next_to_nothing, a_byte_takes_no_block
 *     ahead of a gap            15/16 of the pool   6 x free, none sure           the packet counts
 *                               as lost
 *       stream: what_lies_ahead_of_a_gap_leaves_room_for_what_fills_it
 *     hardly read for 30 s      -                   2 MiB                         another needs it:
 *                               the session ends
 *       shares: what_is_held_for_nothing_is_taken_back, who_reads_on_keeps_what_it_holds
 *   memory for what is sent     3/4 of the pool     8 x free, 64 KiB sure         ERR_AGAIN, later
 *                               _WRITABLE
 *       block: the same; shares: a_writer_that_found_no_memory_is_told
 *     hardly acked for 30 s     -                   its share as things are       the session ends
 *       shares: who_acknowledges_nothing_does_not_stop_the_others
 *   reserve                     1/8 and 1/16 of it  what is sure                  as if there were
 *                               none
 *       block: a_little_is_sure_to_everyone
 *   receive credit              -                   4 x what was read, its share  nothing is
 *                               granted
 *       credit: nothing_is_granted_for_what_nobody_reads,
 *       nothing_is_granted_that_there_is_no_memory_for
 *   gaps in what is received    -                   4,096; 1,024 of a stream      the packet counts
 *                               as lost
 *       shares: gaps_are_bounded_for_the_whole_session
 *   unsent bytes                -                   1 MiB of a stream             ERR_AGAIN, later
 *                               _WRITABLE
 *       shares: a_stream_takes_a_mebibyte_ahead
 *   ranges of what is sent      -                   2 x 8,192 of a stream         sent once more
 *                               than needed
 *       stream: what_is_gone_is_not_lost_any_more
 *   streams of peers            65,536              as many as free, 16 sure      the frame counts
 *                               as lost
 *       shares_queues: streams_are_shared_by_all_sessions
 *     before the user hears     2,048 events        64 sure                       the frame counts
 *                               as lost
 *       shares_queues: a_batch_opens_few_streams
 *   streams of ours             -                   4,096                         ERR_FULL
 *       shares_queues: a_peer_cannot_make_us_hold_more_streams
 *   records of sent packets     2^18                as many as free, 1,024 sure   nothing new is
 *                               sent
 *       shares_queues: records_of_sent_packets_are_shared_by_all_sessions
 *       sent: the_window_of_packets_has_an_end
 *   ranges of packets heard     -                   64                            the oldest is
 *                               forgotten
 *       ack: the_table_is_bounded_and_forgets_the_oldest
 *   ranges of packets settled   -                   4,096                         forgotten, looked
 *                               up one by one
 *       loss: repeated_ranges_settle_nothing_twice
 *   datagrams to be sent        -                   128                           the oldest is
 *                               dropped
 *       shares_queues: the_oldest_datagram_gives_way
 *   events of streams           3/4 of 65,536       8,192; 64 sure, to 15/16      the frame counts
 *                               as lost
 *       shares_queues: events_of_one_session_do_not_push_out_anothers
 *     datagrams and echoes      1/4 of 65,536       512                           dropped, counted
 *       shares_queues: datagrams_and_echoes_of_one_leave_room_to_anothers
 *       events: datagrams_leave_room_for_other_events
 *     records                   4,096               32, and 50 a second           dropped, counted
 *       records: a_flood_costs_what_one_session_may_cost
 *     told once                 65,536              a few                         dropped, counted
 *       events: the same
 *   small packets: frames       1,024               16; answers 8                 dropped, counted
 *       shares_queues: answers_to_one_do_not_push_out_packets_to_others,
 *       small_packets_leave_in_turn_of_their_kinds
 *     INITIATION                256                 (ours)                        dropped, repeated
 *       shares_queues: the same
 *     RESPONSE                  256                 (of whom we know)             dropped, repeated
 *       shares_queues: the same
 *     RETRY                     256                 (anybody)                     dropped, asked
 *                               for again
 *       shares_queues: the same
 *     RECORD                    256                 8                             ERR_FULL, counted
 *       records: a_session_has_its_share_of_what_waits
 *     behind a full socket      -                   half of each for a socket     the same
 *       small_queue: what_waits_for_a_full_socket_takes_no_place_of_anothers
 *   answers to one packet       -                   8                             not answered
 *       session: a_packet_gets_eight_answers_at_most
 *   pings waiting for keys      -                   4                             ERR_FULL
 *       shares_queues: pings_wait_for_keys_up_to_four
 *   said to relays, the same    -                   4                             lost, said again
 *       relay_session: what_is_said_to_a_relay_waits_for_new_keys
 *   handshakes answered         a fifth of a core   an address its rate           a cookie is
 *                               asked, then silence
 *       handshake_budget: a_flooder_is_kept_from_nobody_elses_share
 *   sessions opened, renewed    (of all: above)     16 at once, 1 a second        not answered
 *       endpoint: who_opens_and_closes_without_end_is_not_answered_each_time
 *       hostile_handshake: who_renews_keys_without_end_is_not_answered_each_time
 *   half-open strangers         256                 a ticket, an address          the largest
 *                               share's oldest goes
 *       strangers: the_largest_share_gives_way, strangers_leave_nothing_behind,
 *       who_pays_is_found_without_looking_at_all_pairs
 *   guests of a relay           8,192               a source: 64, a /24 or /48:   refused
 *                                                   1,024; 30 s unused
 *       guests: a_prefix_leaves_room_to_others
 *       relay_hostile: one_source_has_few_of_the_places, a_guest_with_nothing_here_goes
 *   questions for relays' keys  16                  (the user's)                  ERR_FULL
 *       key_ask: questions_and_answers_are_bounded
 *     their answers             800 a second        a source: 20 a second         not answered
 *       key_ask: the same
 *   places beside the addresses -                   a peer: 4                     ERR_FULL
 *       path_policy: places_are_bounded_and_go
 *   relays that are used        256                 (the user's)                  ERR_FULL
 *   open tickets                64                  (the user's)                  the oldest is
 *                               closed
 *       open_tickets: the_oldest_gives_way
 *   peers                       2^20                (the user's, half-open)       ERR_FULL
 *       shares_queues: peers_are_bounded
 *   sessions, timers            2^20                a peer: one, one pending      ERR_NOMEM
 *       endpoint: simultaneous_opens_merge_into_one_session
 *   paths remembered            -                   4                             the oldest is
 *                               forgotten
 *       path_memory: the_oldest_makes_room
 *   paths asked                 -                   see net/path/path_challenge.h      the oldest
 *                               not in question goes
 *       path_challenge: a_flood_of_places_does_not_push_out_one_that_is_being_asked
 *   paths known                 -                   8                             a failed one
 *                               gives way, else the new one is not taken
 *       path_list: eight_places_and_a_failed_one_gives_way
 *   trains copied               1                   -                             it goes by one
 *                               path
 *       standby: data_comes_by_the_other_path_within_three_round_trips_and_one
 *   changes of path             -                   4, then one a second          it stays
 *       path_memory: flapping_is_damped_to_one_change_a_second
 *   names looked up (node/base) 32, 2 of them out   a name once at a time; of     asked for later
 *                                                   contacts 24, 1 of them out
 *       resolve: few_are_out_in_the_order_asked, a_name_is_looked_up_once_at_a_time,
 *       names_that_others_give_do_not_hold_up_the_users
 *   relays of a contact (node)  -                   4, stored as its addresses    the others are
 *                               left out
 *       ways: who_has_others_each_time_costs_the_disk_no_more
 *   what a node has of relays (node/mesh):
 *   relays known                64                  a contact: 4; 8 for homes,    the oldest unused
 *                               of one contact 2    goes; for homes: who is none's any more
 *       relayed: two_homes_are_kept_of_many_relays
 *       relayed_hostile: a_contact_does_not_choose_all_homes
 *   flows to peers              1,024               a peer: 4, 2 of them ours     not opened, or
 *                               refused
 *     of who comes by ticket    16                  one                           the oldest goes
 *       relayed_hostile: strangers_do_not_keep_the_tickets_holder_out
 *   relay (net/relay/relay_limits.h):
 *   clients                     16,384              -                             ERR_FULL, silence
 *       relay_limits: clients_are_bounded
 *   reservations                (clients)           256 of a /24 or /48           refused, full
 *       relay_limits: a_prefix_has_its_share_of_reservations
 *   flows                       65,536              64; 32 at once, 4 a second    refused, full
 *       relay_limits: flows_of_a_client_and_of_all_are_bounded, who_opens_without_end_is_refused
 *   offers not answered         (flows)             16                            the oldest of
 *                               the source with most is refused
 *       relay_limits: offers_nobody_answers_give_way
 *     of one source to a client -                   16 at once, 1 a second        refused, full
 *       relay_offers: a_crowd_of_one_address_keeps_no_caller_out
 *   datagrams that wait         16 MiB; 50 ms       1 MiB, 2 x free; 8 KiB sure   dropped, counted
 *       relay_queue: bytes_are_shared_evenly_and_nothing_leaves_late,
 *       a_long_queue_leaves_room_to_others
 *   bytes forwarded             100 Mbit/s: wait    its rate, its day: dropped    (the user's)
 *       relay_limits: all_together_send_no_more_than_the_capacity,
 *       a_client_sends_no_more_than_its_rate, a_quota_of_the_day_outlives_the_session
 *   what is to be told          65,536              128                           dropped, counted
 *       relay_limits: what_waits_to_be_told_is_bounded
 *   relays that are used        256                 (the user's)                  ERR_FULL
 *   flows held at relays        8,192               16 offers of a relay          ERR_FULL; dropped
 *       relay_client: relays_and_flows_are_bounded, offers_without_end_are_a_few_ids
 */
#ifndef MESHD_NET_BASE_LIMITS_H
#define MESHD_NET_BASE_LIMITS_H

enum {
    /* Datagrams. 1,200 bytes pass everywhere IPv6 does (RFC 9000 §14); nothing larger is sent
     * before PLPMTUD has shown that it fits. */
    MTU_BASE_BYTES = 1200,
    /* What is sent where 1,200 do not pass (tunnels in tunnels): every host takes an IPv4 packet of
     * 576 (RFC 791; RFC 8899 MIN_PLPMTU). No message of the handshake is larger. */
    MTU_MIN_BYTES = 548,
    MTU_MAX_BYTES = 65507, /* largest UDP payload over IPv4 */
    /* A router's complaint is believed about so many of the last packets: what is in flight at 10
     * Gbit/s and one second. */
    ICMP_QUOTE_RECENT_PKTS = 1 << 20,
    TRAIN_MAX_BYTES = 65507, /* one UDP_SEGMENT send */
    TRAIN_MAX_SEGMENTS = 64, /* Linux: UDP_MAX_SEGMENTS */

    /* Sessions and peers. When full: a new one is refused (ERR_FULL); contacts come first, since
     * strangers never get a session. */
    PEERS_MAX = 1 << 20,
    SESSIONS_MAX = 1 << 20,
    TICKETS_OPEN_MAX = 64, /* one-time secrets waiting to be used; the oldest one is dropped */
    /* Answered but unconfirmed handshakes of strangers, who come in by an open ticket. Contacts
     * have one each, and our own dials do not count. The ticket with most of them pays, and of
     * these the source (IPv4 address, IPv6 /56) with most: its oldest is dropped. */
    HALF_OPEN_MAX = 256,

    /* Small packets waiting to be sent (net/session/small_queue.h); further ones of a kind are
     * dropped, the other side repeats or we do. */
    SMALL_SESSION_MAX = 1024,   /* a few session frames, */
    SMALL_PER_SESSION_MAX = 16, /* and of one session; answers to what it asks: half */
    SMALL_ATTEMPT_MAX = 256,    /* our own INITIATIONs */
    SMALL_ANSWER_MAX = 256,     /* RESPONSEs */
    SMALL_RETRY_MAX = 256,
    /* Records (gossip), which take turns with the trains of streams: 1.2 KB each. */
    SMALL_RECORD_MAX = 256,
    SMALL_RECORDS_PER_SESSION_MAX = 8,
    /* Of those that come, so many at once and then one in so long reach the user: what SWIM and an
     * exchange of rumours with one neighbour need, many times over. Further ones are dropped. */
    RECORDS_BURST = 32,
    RECORD_US = 20 * 1000,

    EVENTS_MAX = 65536,             /* unread events; readiness events are merged */
    EVENTS_SESSION_MAX = 8192,      /* of one session's streams; more: the frame counts as lost */
    EVENTS_SESSION_SURE = 64,       /* who has fewer may go into the last quarter */
    EVENTS_NOISE_SESSION_MAX = 512, /* datagrams and echoes of one session; more are dropped */
    EVENTS_RECORDS_MAX = 4096,      /* records of all sessions (5 MB), likewise */
    EVENTS_RECORDS_SESSION_MAX = 32,

    /* Handshakes (docs/PROTOCOL.md). */
    HANDSHAKE_RETRY_US = 250 * 1000, /* first repetition */
    HANDSHAKE_RETRY_MAX_US = 700 * 1000,
    HANDSHAKE_CALM_US = 500 * 1000, /* the same where nobody waits; doubled each time: 5 in all */
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
    /* What RETRYs, which anybody can forge, may cost an attempt: fresh INITIATIONs; and the same
     * one sent again for a cookie at once (later ones go with the next repetition). */
    HANDSHAKE_REBUILDS = 3,
    HANDSHAKE_COOKIES = 3,
    CONFIRM_RETRY_US = 250 * 1000, /* first repetition; then a quarter more each time, up to */
    CONFIRM_RETRY_MAX_US = 1000 * 1000,
    CONFIRM_TRIES = 20,           /* in all */
    MEMORY_RETRY_US = 100 * 1000, /* the system had none for a writer */
    UNPROVED_ASKS = 2, /* fresh handshakes in a session in which the peer has said nothing yet */
    REKEY_RESPONDER_US = 15 * 1000000, /* the responder begins a rekey only so much later */
    OPEN_YIELD_US = 1000 * 1000,       /* simultaneous open: the winner insists so long */
    REKEY_PAUSE_US = 1000 * 1000,      /* after a failed rekey, doubled each time, up to */
    REKEY_PAUSE_MAX_US = 8 * 1000000,
    /* Sessions that a peer opens or gives new keys, confirmed ones: each is told, logged or may be
     * written down. So many at once, then one in so long; further ones are not answered, and an
     * honest one asks again. */
    PEER_OPEN_BURST = 16,
    PEER_OPEN_US = 1000 * 1000,
    HALF_OPEN_US = 10 * 1000000,     /* an unconfirmed answer is forgotten after this */
    SESSION_USED_US = 30 * 1000000,  /* a CONFIRM so soon after use counts as use */
    SESSION_IDLE_US = 540 * 1000000, /* keys of an unused session are wiped: 3 x reject time */
    /* Sent, but nothing heard for so long, or four round trips: a new handshake is tried beside the
     * session. It costs a living one nothing, and a peer that has restarted answers it at once. */
    SESSION_SILENT_US = 1000 * 1000,
    SESSION_SILENT_MAX_US = 5 * 1000000, /* round trips count no further; and where handshakes pass,
                                          * but nothing in the session they give */
    SESSION_DEAD_US = 16 * 1000000, /* nor then: the session ends. An outage of 12 s at any moment
                                        * is survived, with room for the repetition after it */

    /* What the user is told meanwhile, while the session lives on (endpoint_silent.c): something
     * that the peer has to answer was sent so long ago, four round trips at least, and nothing at
     * all has been heard of it since. In the midst of something it counts from the peer's last
     * word, which was half a round trip on its way, and is less, since queues on the way hold words
     * of the dead: within two seconds of its end. */
    PEER_SILENT_US = 1900 * 1000,
    PEER_QUIET_US = 1800 * 1000,
    PEER_SILENT_MAX_US = 10 * 1000000, /* round trips count no further */
    /* Before that it is asked (ECHO) every so long, or 5/4 of a round trip: so many times in one
     * silence, beside what is repeated anyhow. */
    PEER_ASK_US = 500 * 1000,
    PEER_ASKS = 3,
    /* Who waits for the rest of a stream has nothing out: it is asked, too, and so long after the
     * first question there is no answer. */
    PEER_ASKED_US = PEER_QUIET_US - PEER_ASK_US,
    PEER_LATE_US = 250 * 1000, /* who looks later than that was away itself: as much longer */

    /* Peers that are asked to stay (endpoint_keepalive): every fourth thing that is sent only so
     * that something is has to be answered. Three such questions in a row without an answer, and
     * the peer is down. */
    KEEPALIVE_MIN_US = 1000 * 1000,
    KEEPALIVE_MAX_US = 120 * 1000000, /* four of them are less than SESSION_IDLE_US */
    KEEPALIVE_ASK_EVERY = 4,
    KEEPALIVE_BUSY_US = 2 * 1000000, /* a relay through which something leaves is asked so often */
    KEEPALIVE_ASK_US = 1000 * 1000,  /* a question that is not answered is repeated */
    KEEPALIVE_ASKS = 3,

    /* Guests: those whom only endpoint_relay_serve lets in. All, those of one source (hop_source),
     * and of one IPv4 /24 or IPv6 /48; further ones are refused (REFUSAL_FULL). One that has
     * neither a reservation nor a flow for so long is sent away. */
    GUESTS_MAX = 8192,
    GUESTS_SOURCE_MAX = 64,
    GUESTS_PREFIX_MAX = GUESTS_MAX / 8,
    GUEST_IDLE_US = 30 * 1000000,

    /* Questions for the key of a relay that are out, each of so many places at most; each is
     * repeated after so long, doubled. The others are asked a quarter of a second after the first
     * one (RFC 8305 §5): who has no IPv4 does not wait for what never comes. */
    KEY_ASKS_MAX = 16,
    KEY_PLACES_MAX = 4,
    KEY_ASK_RETRY_US = 250 * 1000,
    KEY_ASK_TRIES = 5,
    KEY_ASK_ANSWERS = 4, /* of different ids, each told, until so long after the first */
    KEY_ASK_LATE_US = 1000 * 1000,

    ANSWERS_PER_PACKET =
        8, /* CONFIRMED and ECHOED for one packet: an honest one asks once or twice */

    /* Streams. */
    STREAMS_MAX = 4096,                 /* per session and direction of opening */
    STREAMS_ALL_MAX = 65536,            /* opened by peers, of all sessions (24 MiB) */
    STREAMS_SURE = 16,                  /* a session may have so many in any case */
    STREAMS_UNHEARD_MAX = 2048,         /* with so many events unread, a session that has
                                         * EVENTS_SESSION_SURE of them opens no more: 1 ms */
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
    SKIP_DISTANCE_MIN_PKTS = 128,       /* packet numbers left out are at least so far apart... */
    SKIPPED_PNS_MAX = SENT_PKTS_MAX / SKIP_DISTANCE_MIN_PKTS, /* ...so no more are in flight */
    DATAGRAM_QUEUE_MAX = 128,  /* outgoing datagrams; beyond: the oldest is dropped */
    DATAGRAM_MAX_BYTES = 1100, /* fits a packet of MTU_BASE_BYTES */
    RECORD_MAX_BYTES = 1165,   /* fills one */

    /* Their memory (net/base/block.h). */
    STREAM_BLOCK_BYTES = 65536,
    BLOCKS_DEFAULT = 1536,      /* of an endpoint: 96 MiB, and three sixteenths in reserve */
    BLOCKS_FILES_DEFAULT = 640, /* files that are sent reckon with so many of them: 40 MiB */
    BLOCKS_KEPT = 64,           /* free ones that are not given back to the system */
    SHARE_FACTOR = 8,       /* a session may hold so many times what is free (net/base/share.h) */
    SHARE_FACTOR_AHEAD = 6, /* ahead of a gap: so that what fills it finds room */
    RECV_SURE_BYTES = 128 * 1024, /* and so much of the reserve: the largest packet in pieces */
    SEND_SURE_BYTES = 64 * 1024,
    HOARD_BYTES = 2 << 20, /* who holds more, */
    HOARD_US =
        30 * 1000000,     /* and for so long had less read, or a 64th of it acknowledged, than it */
    HOARD_SENT_PART = 64, /* holds, gives it to who needs it */
    RECLAIM_EVERY_US = 1000 * 1000,

    /* Messages that have come (node/message/history). A contact may fill its own share, all of them
     * together the second one; beyond: answered with ERR_FULL, which the user sees and can end by
     * deleting. A message counts with its text and MESSAGE_OVERHEAD_BYTES. Several that fill their
     * shares do not keep the others out: the last part of what is for all (one
     * MESSAGES_RESERVE_PART-th) is for contacts with little, who have a MESSAGES_SURE_PART-th of
     * all at most, or as much as one message takes. */
    MESSAGES_CONTACT_BYTES_MAX = 32 << 20,
    MESSAGES_CONTACT_MAX = 100000,
    MESSAGES_BYTES_MAX = 512 << 20,
    MESSAGES_MAX = 2000000,
    MESSAGES_RESERVE_PART = 8,
    MESSAGES_SURE_PART = 1024, /* so 128 contacts are sure of 512 KiB and 1,953 messages */
    MESSAGE_OVERHEAD_BYTES = 256,
    MESSAGES_KNOWN_KEPT = 256, /* ids of deleted ones kept per conversation, so that a repetition
                                   * is known; the oldest is forgotten */
    MESSAGES_UNANSWERED_MAX =
        96,                     /* of one contact, stored but not answered yet; beyond: ERR_AGAIN */
    MESSAGES_DELETE_STEP = 256, /* deleted in one step */
};

#endif
