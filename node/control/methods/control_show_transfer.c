#include "node/control/methods/control_show_transfer.h"

#include "node/control/methods/control_show.h"

void show_file(struct proto_writer *w, const char *name, uint64_t size) {
    proto_map(w, NULL);
    proto_str(w, "name", name);
    proto_uint(w, "bytes", size);
    proto_end(w);
}

/* However many there are: an offer of a peer's costs a subscriber no more than the first ones. */
static void show_first_files(struct proto_writer *w, const struct node *n, uint64_t id) {
    uint64_t size = 0;
    const char *name;
    proto_array(w, "first");
    for (uint32_t i = 0; i < TRANSFER_FIRST_FILES && (name = node_transfer_file(n, id, i, &size));
         i++)
        show_file(w, name, size);
    proto_end(w);
}

void show_transfer(struct proto_writer *w, const char *key, const struct node *n,
                   const struct transfer_info *i, uint64_t now_us) {
    bool ended = i->state == TRANSFER_DONE || i->state == TRANSFER_FAILED;
    uint64_t until_us = ended ? i->ended_us : now_us;
    proto_map(w, key);
    proto_uint(w, "id", i->id);
    proto_bool(w, "outgoing", i->outgoing);
    proto_str(w, "contact", i->contact);
    show_id(w, "node", &i->node);
    proto_str(w, "state", transfer_state_name(i->state));
    proto_uint(w, "files", i->files);
    show_first_files(w, n, i->id);
    proto_uint(w, "files_done", i->files_done);
    proto_uint(w, "bytes_total", i->bytes_total);
    proto_uint(w, "bytes_done", i->bytes_done);
    proto_uint(w, "wall_us", i->wall_us);
    proto_uint(w, "elapsed_us",
               i->started_us && until_us > i->started_us ? until_us - i->started_us : 0);
    proto_uint(w, "running_us",
               i->accepted_us && until_us > i->accepted_us ? until_us - i->accepted_us : 0);
    proto_str(w, "dir", i->dir);
    if (i->rule)
        proto_uint(w, "recv", i->rule);
    else
        proto_nil(w, "recv");
    if (i->state == TRANSFER_FAILED)
        show_error(w, "error", i->err, &i->cause, i->detail);
    else
        proto_nil(w, "error");
    proto_end(w);
}
