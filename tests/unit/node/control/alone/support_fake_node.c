/* A node that keeps note of what it is asked and answers as a test wants. */
#include "support_fake_node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake fake;

void fake_reset(void) {
    memset(&fake, 0, sizeof fake);
}

struct contact_info *fake_contact(const char *name, enum contact_state state) {
    struct contact_info *c = &fake.contacts[fake.contact_count++];
    snprintf(c->name, sizeof c->name, "%s", name);
    c->state = state;
    c->online = state == CONTACT_ONLINE || state == CONTACT_SILENT;
    return c;
}

struct transfer_info *fake_transfer(uint64_t id, bool outgoing, enum transfer_state state) {
    struct transfer_info *t = &fake.transfers[fake.transfer_count++];
    t->id = id;
    t->outgoing = outgoing;
    t->state = state;
    return t;
}

struct message_info *fake_message(uint64_t seq, const char *contact, bool outgoing) {
    struct message_info *m = &fake.messages[fake.message_count++];
    m->seq = seq;
    snprintf(m->contact, sizeof m->contact, "%s", contact);
    m->outgoing = outgoing;
    m->text = "hello";
    m->len = 5;
    return m;
}

unsigned fake_asked(const char *what) {
    unsigned n = 0;
    for (unsigned i = 0; i < fake.log_count; i++)
        n += strcmp(fake.log[i], what) == 0;
    return n;
}

static int asked(const char *format, ...) PRINTF_LIKE(1, 2);
static int asked(const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    if (fake.log_count < FAKE_LOG)
        vsnprintf(fake.log[fake.log_count++], sizeof fake.log[0], format, ap);
    va_end(ap);
    return fake.err;
}

/* ---- the node ---- */

static const struct node_id self = {{1}};

const struct node_id *node_self(const struct node *n) {
    (void)n;
    return &self;
}

struct cause node_why(struct node *n, int err) {
    (void)n;
    return cause_here(err);
}

uint64_t node_wall_s(const struct node *n, uint64_t now_us) {
    (void)n;
    return now_us / 1000000;
}

void node_get_policy(const struct node *n, struct node_policy *out) {
    (void)n;
    *out = (struct node_policy){.download_dir = "/in"};
}

void node_status(const struct node *n, uint64_t now_us, struct node_status *out) {
    (void)n;
    *out = (struct node_status){.uptime_us = now_us, .contacts = fake.contact_count};
}

const char *node_event_name(enum node_event_kind k) {
    static char names[NODE_EVENT_KINDS][16];
    snprintf(names[k], sizeof names[k], "event.%u", (unsigned)k);
    return names[k];
}

bool node_denied(int err) {
    return err == ERR_TICKET || err == ERR_UNKNOWN || err == ERR_AUTH;
}

/* ---- contacts ---- */

const char *contact_state_name(enum contact_state s) {
    static const char *const names[] = {"offline", "connecting", "idle", "silent", "online"};
    return names[s];
}

bool node_contact_at(const struct node *n, uint64_t now_us, unsigned i, struct contact_info *out) {
    (void)n;
    (void)now_us;
    if (i >= fake.contact_count)
        return false;
    *out = fake.contacts[i];
    return true;
}

bool node_contact_get(const struct node *n, uint64_t now_us, const char *name,
                      struct contact_info *out) {
    for (unsigned i = 0; node_contact_at(n, now_us, i, out); i++)
        if (strcmp(out->name, name) == 0)
            return true;
    return false;
}

bool node_contact_by_id(const struct node *n, uint64_t now_us, const struct node_id *id,
                        struct contact_info *out) {
    for (unsigned i = 0; node_contact_at(n, now_us, i, out); i++)
        if (memcmp(&out->id, id, sizeof *id) == 0)
            return true;
    return false;
}

int node_contact_add(struct node *n, uint64_t now_us, const char *name, const char *ticket) {
    (void)n;
    (void)now_us;
    (void)ticket;
    int err = asked("add %s", name);
    if (!err)
        fake_contact(name, CONTACT_CONNECTING);
    return err;
}

int node_contact_remove(struct node *n, uint64_t now_us, const char *name) {
    (void)n;
    (void)now_us;
    return asked("remove %s", name);
}

int node_contact_rename(struct node *n, uint64_t now_us, const char *name, const char *to) {
    (void)n;
    (void)now_us;
    int err = asked("rename %s %s", name, to);
    for (unsigned i = 0; !err && i < fake.contact_count; i++)
        if (strcmp(fake.contacts[i].name, name) == 0)
            snprintf(fake.contacts[i].name, sizeof fake.contacts[i].name, "%s", to);
    return err;
}

int node_contact_path(struct node *n, uint64_t now_us, const char *name, enum contact_path path) {
    (void)n;
    (void)now_us;
    int err = asked("path %s %d", name, (int)path);
    for (unsigned i = 0; !err && i < fake.contact_count; i++)
        if (strcmp(fake.contacts[i].name, name) == 0) {
            fake.contacts[i].path_own = path;
            fake.contacts[i].path = path == CONTACT_PATH_RELAY_ONLY    ? PATH_RELAY_ONLY
                                    : path == CONTACT_PATH_DIRECT_ONLY ? PATH_DIRECT_ONLY
                                                                       : PATH_AUTO;
        }
    return err;
}

int node_connect(struct node *n, uint64_t now_us, const char *name) {
    (void)n;
    (void)now_us;
    return asked("connect %s", name);
}

int node_ping(struct node *n, uint64_t now_us, const char *name, uint64_t timeout_us,
              uint64_t *id) {
    (void)n;
    (void)now_us;
    (void)timeout_us;
    int err = asked("ping %s", name);
    if (!err)
        *id = ++fake.id;
    return err;
}

void node_ping_stop(struct node *n, uint64_t id) {
    (void)n;
    (void)asked("ping stop %u", (unsigned)id);
}

int node_ticket_new(struct node *n, uint64_t now_us, const char *name, uint64_t ttl_s,
                    char out[static TICKET_TEXT_MAX + 1]) {
    (void)n;
    (void)now_us;
    (void)ttl_s;
    int err = asked("ticket %s", name ? name : "-");
    snprintf(out, TICKET_TEXT_MAX + 1, "ticket%u", (unsigned)++fake.id);
    return err;
}

uint64_t node_ticket_id(const char *ticket) {
    return strtoul(ticket + 6, NULL, 10);
}

int node_ticket_end(struct node *n, uint64_t now_us, const char *ticket) {
    (void)n;
    (void)now_us;
    return asked("ticket end %s", ticket);
}

/* ---- transfers ---- */

const char *transfer_state_name(enum transfer_state s) {
    (void)s;
    return "some";
}

bool node_transfer_at(const struct node *n, unsigned i, struct transfer_info *out) {
    (void)n;
    if (i >= fake.transfer_count)
        return false;
    *out = fake.transfers[i];
    return true;
}

bool node_transfer_get(const struct node *n, uint64_t id, struct transfer_info *out) {
    for (unsigned i = 0; node_transfer_at(n, i, out); i++)
        if (out->id == id)
            return true;
    return false;
}

const char *node_transfer_file(const struct node *n, uint64_t id, uint32_t i, uint64_t *size) {
    (void)n;
    (void)id;
    *size = i;
    return i < fake.files ? "file" : NULL;
}

bool node_transfer_waits(const struct node *n, uint64_t id) {
    struct transfer_info t;
    return node_transfer_get(n, id, &t) && !t.outgoing && t.state == TRANSFER_OFFERED;
}

int node_send_taken(struct node *n, uint64_t now_us, const struct send_order *order, uint64_t *id) {
    (void)n;
    (void)now_us;
    int err = asked("send %s %s", order->contact, order->paths[0]);
    free(order->paths);
    if (!err)
        *id = ++fake.id;
    return err;
}

int node_accept(struct node *n, uint64_t now_us, uint64_t id, const char *dir) {
    (void)n;
    (void)now_us;
    return asked("accept %u %s", (unsigned)id, dir ? dir : "-");
}

int node_reject(struct node *n, uint64_t now_us, uint64_t id) {
    (void)n;
    (void)now_us;
    return asked("reject %u", (unsigned)id);
}

int node_cancel(struct node *n, uint64_t now_us, uint64_t id) {
    (void)n;
    (void)now_us;
    return asked("cancel %u", (unsigned)id);
}

void node_transfer_abandon(struct node *n, uint64_t now_us, uint64_t id) {
    (void)n;
    (void)now_us;
    (void)asked("abandon %u", (unsigned)id);
}

int node_recv_start(struct node *n, uint64_t now_us, const char *dir, const char *contact,
                    bool once, uint64_t *id) {
    (void)n;
    (void)now_us;
    (void)once;
    int err = asked("recv %s %s", dir ? dir : "-", contact ? contact : "-");
    if (!err) {
        *id = ++fake.id;
        fake.standing |= UINT64_C(1) << *id;
    }
    return err;
}

void node_recv_stop(struct node *n, uint64_t id) {
    (void)n;
    (void)asked("recv stop %u", (unsigned)id);
    fake.standing &= ~(UINT64_C(1) << id);
}

bool node_recv_stands(const struct node *n, uint64_t id) {
    (void)n;
    return fake.standing >> id & 1;
}

/* ---- messages ---- */

const char *message_state_name(enum message_state s) {
    (void)s;
    return "some";
}

int node_message_send(struct node *n, uint64_t now_us, const char *contact, const char *text,
                      size_t len, uint64_t *seq) {
    (void)n;
    (void)now_us;
    int err = asked("message %s %.*s", contact, (int)len, text);
    if (!err)
        *seq = ++fake.id;
    return err;
}

bool node_message_next(struct node *n, uint64_t after, const char *contact,
                       struct message_info *out) {
    (void)n;
    for (unsigned i = 0; i < fake.message_count; i++) {
        *out = fake.messages[i];
        if (out->seq > after && (!contact || strcmp(contact, out->contact) == 0))
            return true;
    }
    return false;
}

bool node_message_with(struct node *n, const char *contact) {
    struct contact_info info;
    return node_contact_get(n, 0, contact, &info);
}

int node_message_delete(struct node *n, uint64_t now_us, const char *contact, uint64_t after,
                        uint64_t upto, struct message_cut *out) {
    (void)n;
    (void)now_us;
    (void)upto;
    *out = (struct message_cut){.deleted = 3, .last = after + 3};
    return asked("delete %s", contact);
}
