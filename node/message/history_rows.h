/* history_rows.h: the tables of node/message/history.h, for its own files only. */
#ifndef MESHD_NODE_MESSAGE_HISTORY_ROWS_H
#define MESHD_NODE_MESSAGE_HISTORY_ROWS_H

#include "node/message/history.h"

#define TABLE_MESSAGES "messages"
#define TABLE_IDS "message_ids"
#define TABLE_STATE "message_state"

enum {
    MESSAGE_VERSION = 1,
    MESSAGE_OUTGOING = 1,
    MESSAGE_WAS_DELIVERED = 2, /* written before a conversation had books; only then it counts */
    MESSAGE_VALUE_MAX = 1 + 1 + LETTER_ID_BYTES + 8 + 32 + 1 + PETNAME_MAX + MESSAGE_MAX_BYTES,
    KNOWN_KEY_BYTES = NODE_ID_BYTES + LETTER_ID_BYTES,
};

/* Room for one stored message in h->value. NULL: no memory. */
uint8_t *history_scratch(struct history *h);
/* The stored form; text points into `in`. All but the mark. */
bool history_decode(struct entry *e, uint8_t *flags, const uint8_t *in, size_t len);
/* Stores and gives the next seq, which counts on in memory whatever becomes of the transaction. */
int history_seq_next(struct history *h, uint64_t *seq) MUST_USE;
int history_ids_del(struct history *h, const struct node_id *peer, const uint8_t *id) MUST_USE;

#endif
