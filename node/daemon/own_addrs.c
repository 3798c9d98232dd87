#include "node/daemon/own_addrs.h"

#include <string.h>
#include <uv.h>

#include "net/io/sockaddr.h"

enum { FOUND_MAX = 64 };

enum rank { PUBLIC, PRIVATE, VIRTUAL, LOOPBACK, RANKS };

struct found {
    struct addr addrs[FOUND_MAX];
    enum rank ranks[FOUND_MAX];
    unsigned count;
};

/* Bridges of containers and virtual machines: others on the network have the same addresses of
 * their own. */
static bool is_virtual(const char *name) {
    static const char *const prefixes[] = {"docker", "br-", "veth", "virbr", "vmnet", "vboxnet"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static void add(struct found *f, const struct addr *a, const char *name) {
    if (addr_is_link_local(a) || addr_is_unspecified(a))
        return;
    for (unsigned i = 0; i < f->count; i++)
        if (addr_equal(&f->addrs[i], a))
            return;
    if (f->count == FOUND_MAX)
        return;
    f->ranks[f->count] = addr_is_loopback(a)  ? LOOPBACK
                         : is_virtual(name)   ? VIRTUAL
                         : addr_is_private(a) ? PRIVATE
                                              : PUBLIC;
    f->addrs[f->count++] = *a;
}

static void add_interfaces(struct found *f, const struct addr *wildcard) {
    uv_interface_address_t *list;
    int count;
    if (uv_interface_addresses(&list, &count) != 0)
        return;
    for (int i = 0; i < count; i++) {
        struct addr a;
        struct sockaddr_storage sa = {0};
        if (list[i].address.address4.sin_family == AF_INET)
            memcpy(&sa, &list[i].address.address4, sizeof list[i].address.address4);
        else
            memcpy(&sa, &list[i].address.address6, sizeof list[i].address.address6);
        if (!sockaddr_to(&a, (struct sockaddr *)&sa) || a.kind != wildcard->kind)
            continue;
        a.port = wildcard->port;
        add(f, &a, list[i].name);
    }
    uv_free_interface_addresses(list, count);
}

unsigned own_addrs(struct addr *out, unsigned max, const struct addr *bound, unsigned bound_count) {
    struct found f = {.count = 0};
    unsigned n = 0, loopbacks = 0;
    for (unsigned i = 0; i < bound_count; i++) {
        if (addr_is_unspecified(&bound[i]))
            add_interfaces(&f, &bound[i]);
        else
            add(&f, &bound[i], "");
    }
    for (unsigned i = 0; i < f.count; i++)
        loopbacks += f.ranks[i] == LOOPBACK;
    for (unsigned r = 0; r < RANKS; r++) {
        unsigned room = r != LOOPBACK && loopbacks > 0 && max > 1 ? max - 1 : max;
        for (unsigned i = 0; i < f.count && n < room; i++)
            if (f.ranks[i] == r)
                out[n++] = f.addrs[i];
    }
    return n;
}
