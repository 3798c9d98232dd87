/* file_channel.h: files between contacts, as the node sees them: what it asks for, and what it
 * hears of that concerns them. The table of transfers (node/file/transfer/transfer) is below;
 * sending (node/file/file_send) and receiving (node/file/file_recv) hang in it by their struct
 * transfer_ops, through which everything that happens reaches the one side it is for.
 *
 *   a stream event -> the transfer (by its cookie) -> event -> sinks, sources: a verdict
 *   a file operation that is back -> the transfer (likewise) -> op_done -> the file (op->item)
 */
#ifndef MESHD_NODE_FILE_FILE_CHANNEL_H
#define MESHD_NODE_FILE_FILE_CHANNEL_H

#include "node/base/part.h"
#include "node/file/file_recv.h"
#include "node/file/file_send.h"
#include "node/file/transfer/transfer.h"

struct file_channel { /* zeroes but for what its parts say = empty */
    struct transfers *transfers;
    struct senders send;
    struct receivers recv;
    unsigned step_first; /* whose step is made first */
};

/* As node_send_taken, node_accept, node_reject, node_transfer_waits, node_recv_start, node_cancel,
 * node_transfer_abandon, node_transfer_at, node_transfer_get and node_transfer_file. */
int file_channel_send(struct file_channel *ch, const struct send_order *order,
                      uint64_t *id) MUST_USE;
int file_channel_accept(struct file_channel *ch, uint64_t id, const char *dir) MUST_USE;
int file_channel_reject(struct file_channel *ch, uint64_t id) MUST_USE;
bool file_channel_waits(const struct file_channel *ch, uint64_t id);
int file_channel_recv(struct file_channel *ch, const char *dir, const char *contact, bool once,
                      uint64_t *id) MUST_USE;
int file_channel_cancel(struct file_channel *ch, uint64_t id) MUST_USE;
void file_channel_abandon(struct file_channel *ch, uint64_t id);
bool file_channel_at(const struct file_channel *ch, unsigned i, struct transfer_info *out);
bool file_channel_get(const struct file_channel *ch, uint64_t id, struct transfer_info *out);
const char *file_channel_file(const struct file_channel *ch, uint64_t id, uint32_t i,
                              uint64_t *size);

/* ---- for node/node.c ---- */
/* Before operations are taken: writes down what has changed, if that is due. */
void file_channel_pump(struct file_channel *ch);
/* At the end of a turn: who waited for memory goes on. */
void file_channel_turn(struct file_channel *ch);
/* A progress event that is due. False: none. */
bool file_channel_poll(struct file_channel *ch, struct node_event *out);
uint64_t file_channel_deadline_us(const struct file_channel *ch);

extern const struct part_ops file_channel_part; /* self: the struct file_channel */

#endif
