/* control_page.h: lists come in pages: at most CONTROL_PAGE_MAX entries and CONTROL_PAGE_BYTES in
 * one answer, then the `offset` of the next page (docs/CONTROL.md).
 *
 *     struct page p = page_open(call, "things");
 *     while (page_room(&p) && thing_at(p.at, &thing)) {
 *         show_thing(call->w, NULL, &thing);
 *         page_step(&p);
 *     }
 *     return page_close(&p, thing_at(p.at, &thing));
 */
#ifndef MESHD_NODE_CONTROL_CALL_CONTROL_PAGE_H
#define MESHD_NODE_CONTROL_CALL_CONTROL_PAGE_H

#include "node/control/call/control_call.h"

/* The arguments of a method that gives a page. */
#define ARGS_PAGE                                                                                  \
    {"offset", ARG_UINT, false, UINT32_MAX}, {                                                     \
        "limit", ARG_UINT, false, 0                                                                \
    }

struct page {
    struct call *call;
    uint32_t at; /* number of the next entry */
    uint64_t left;
};

struct page page_open(struct call *call, const char *key);
bool page_room(const struct page *p);
static inline void page_step(struct page *p) {
    p->at++;
    p->left--;
}
/* more: there is an entry after the last one shown. 0. */
int page_close(struct page *p, bool more);
/* The argument "limit", at most CONTROL_PAGE_MAX. */
uint64_t page_limit(const struct call *call);

#endif
