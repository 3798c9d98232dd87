/* list.h: things in a row, each in it once, put in and taken out in O(1): circular and doubly
 * linked, without memory of its own. A thing embeds one struct list_link for each list it may be
 * in. Value structs; all zeroes is empty, or in no list.
 */
#ifndef MESHD_NET_BASE_LIST_H
#define MESHD_NET_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_link {
    struct list_link *next, *prev;
};

struct list {
    struct list_link *first;
};

/* The thing of which this link (NULL: none) is the given member. */
#define LIST_OWNER(link, type, member) ((type *)list_owner((link), offsetof(type, member)))

static inline void *list_owner(struct list_link *x, size_t offset) {
    return x ? (void *)((char *)x - offset) : NULL;
}

static inline bool list_has(const struct list_link *x) { /* it is in a list */
    return x->next != NULL;
}

/* The one after x; NULL: x is the last one. */
static inline struct list_link *list_after(const struct list *l, const struct list_link *x) {
    return x->next == l->first ? NULL : x->next;
}

/* At the end. It must be in none yet. */
static inline void list_add(struct list *l, struct list_link *x) {
    if (!l->first) {
        l->first = x->next = x->prev = x;
        return;
    }
    x->next = l->first;
    x->prev = l->first->prev;
    x->prev->next = x;
    x->next->prev = x;
}

/* Legal if it is in no list, but not if it is in another. */
static inline void list_remove(struct list *l, struct list_link *x) {
    if (!x->next)
        return;
    if (l->first == x)
        l->first = x->next == x ? NULL : x->next;
    x->prev->next = x->next;
    x->next->prev = x->prev;
    x->next = x->prev = NULL;
}

/* The first one becomes the last. */
static inline void list_turn(struct list *l) {
    if (l->first)
        l->first = l->first->next;
}

#endif
