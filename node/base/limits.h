/* limits.h: how long and how many: what a node, its rooms and its users agree on. */
#ifndef MESHD_NODE_BASE_LIMITS_H
#define MESHD_NODE_BASE_LIMITS_H

enum {
    PETNAME_MAX = 64, /* bytes, UTF-8, no control characters, no '/' */
    TICKET_TEXT_MAX = 1023,
    TRANSFER_FILES_MAX = 65536,
    MANIFEST_MAX_BYTES = 16 << 20,
    TRANSFER_FIRST_FILES = 3, /* of a transfer's files that everybody is told of who hears of it */
    TRANSFERS_MAX = 64,       /* at once; further ones are refused with ERR_FULL */
    MESSAGE_MAX_BYTES = 64 * 1024,
    OUTBOX_MAX = 4096, /* unsent messages per contact */
};

#endif
