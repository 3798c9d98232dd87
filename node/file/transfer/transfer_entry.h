/* transfer_entry.h: what the store has of a transfer (node/file/transfer/transfer_store.h), as
 * bytes:
 *
 *   version u8 = 1 | flags u8 (1: outgoing) | state u8 (enum transfer_state)
 *   | error u16, as crypto/base/err.h numbers it | node id 32 | name length u8 | contact's name
 *   | files u32 | of them done u32 | bytes u64 | of them done u64
 *   | began u64, us of the wall clock | from then to its end u64 us
 *   | from the yes to its end u64 us
 *   | detail length u8 | detail | directory length u16 | directory
 *   | first files u8, each: size u64 | name length u8 | name
 *   | whose error u8 (enum side) | limit u16, as node/api/cause.h numbers it | its maximum u64
 *   and whatever a later version adds behind it
 */
#ifndef MESHD_NODE_FILE_TRANSFER_TRANSFER_ENTRY_H
#define MESHD_NODE_FILE_TRANSFER_TRANSFER_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/file/transfer/transfer.h"

enum {
    TRANSFER_VALUE_MAX = 5 + NODE_ID_BYTES + 1 + PETNAME_MAX + 2 * 4 + 5 * 8 + 1 + 255 + 2 + 1023 +
                         1 + TRANSFER_FIRST_FILES * (8 + 1 + 255) + 1 + 2 + 8,
};

/* Gives the length. One that has not ended is as it would be if it ended now. */
size_t transfer_entry_write(const struct transfer *t, uint64_t now_us,
                            uint8_t out[static TRANSFER_VALUE_MAX]);
/* Into an empty one, whose times are on the clock of nobody: only differences count. False: it
 * cannot be read. */
bool transfer_entry_read(struct transfer *t, const uint8_t *in, size_t len);

#endif
