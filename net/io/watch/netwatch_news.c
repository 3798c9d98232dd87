/* netwatch_news.c: what has been seen waits here until it has settled, and is told together. */
#include "net/io/watch/netwatch_impl.h"

#include <stdlib.h>

static void on_settled(uv_timer_t *t) {
    struct netwatch *w = t->data;
    const unsigned news = w->news;
    w->news = 0;
    w->changed(w->ctx, news);
}

void netwatch_tell(struct netwatch *w, unsigned news) {
    if (news == 0)
        return;
    w->news |= news;
    if (!uv_is_active((const uv_handle_t *)&w->timer))
        (void)uv_timer_start(&w->timer, on_settled, NETWATCH_SETTLE_MS, 0);
}

void netwatch_on_closed(uv_handle_t *h) {
    struct netwatch *w = h->data;
    if (--w->handles == 0)
        free(w);
}
