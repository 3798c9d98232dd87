#include "node/control/call/control_page.h"

#include "node/control/call/control_args.h"

uint64_t page_limit(const struct call *call) {
    uint64_t limit = arg_uint(call, "limit", CONTROL_PAGE_MAX);
    return limit < CONTROL_PAGE_MAX ? limit : CONTROL_PAGE_MAX;
}

struct page page_open(struct call *call, const char *key) {
    proto_map(call->w, NULL);
    proto_array(call->w, key);
    return (struct page){call, (uint32_t)arg_uint(call, "offset", 0), page_limit(call)};
}

bool page_room(const struct page *p) {
    return p->left > 0 && p->call->w->len < CONTROL_PAGE_BYTES;
}

int page_close(struct page *p, bool more) {
    struct proto_writer *w = p->call->w;
    proto_end(w);
    if (more)
        proto_uint(w, "next", p->at);
    else
        proto_nil(w, "next");
    proto_end(w);
    return 0;
}
