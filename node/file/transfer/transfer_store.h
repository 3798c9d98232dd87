/* transfer_store.h: transfers in the store, so that after a restart the list still tells what was
 * sent and received, and what was cut short; and so that no number is given to two transfers.
 *
 *   table "transfers", an entry for each in the list:
 *     key   = number u64 BE
 *     value = node/file/transfer/transfer_entry.h
 *   table "transfer_state":
 *     "ids" = a number u64 that no transfer so far is greater than
 *
 * An entry is written when the transfer is first heard of, when it changes its state, and while its
 * bytes flow every TRANSFER_PROGRESS_STORED_US. The changes of a turn are one transaction, made
 * before anybody is told of them; when there are many, node/file/transfer/write_pace.h says when.
 * What has ended survives a power cut soon afterwards (node/base/keep.h). A full disk stops no
 * transfer, it only may forget one.
 *
 * An entry of what had not ended is one of a process that died: the transfer has failed with it.
 * Numbers are laid by, so that none is given again after a power cut either; an orderly end gives
 * back what was not used.
 */
#ifndef MESHD_NODE_FILE_TRANSFER_TRANSFER_STORE_H
#define MESHD_NODE_FILE_TRANSFER_TRANSFER_STORE_H

#include "node/file/transfer/transfer.h"

enum { TRANSFERS_STORED_MAX = WRITE_PACE_GONE_MAX };

/* Takes the list back; contacts are there already. Writes nothing. */
int transfer_store_load(struct transfers *files) MUST_USE;
/* Writes what is due: before anybody is told of what has changed. */
void transfer_store_pump(struct transfers *files);
/* The process ends in good order: what can be written is, and numbers go on where they are. */
void transfer_store_end(struct transfers *files);

#endif
