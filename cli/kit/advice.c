#include "cli/kit/advice.h"

#include <stdio.h>
#include <string.h>

enum {
    SEND = 1 << ADVICE_SEND,
    RECV = 1 << ADVICE_RECV,
    FILES = SEND | RECV,
    NUMBER = 1 << ADVICE_NUMBER,
    MESSAGE = 1 << ADVICE_MESSAGE,
    TICKET = 1 << ADVICE_TICKET,
    ADD = 1 << ADVICE_ADD,
    ALL = (1 << ADVICE_OPS) - 1,
    HERE = 1 << SIDE_LOCAL,
    PEER = 1 << SIDE_PEER,
    BETWEEN = 1 << SIDE_BETWEEN,
    ANY = HERE | PEER | BETWEEN,
};

#define SAY_NOTHING NULL
#define PAIR_AGAIN "ask them for a ticket (meshctl ticket), and add it under the same name"
#define THEIR_LOG "try again later; if it stays so, ask them to look at the log of their meshd"

/* The first row that fits counts. */
static const struct row {
    int err;
    unsigned ops, sides;
    const char *text;
} rows[] = {
    /* the peer's */
    {ERR_DISK, SEND, PEER, "ask them to free some space, or to receive into another directory"},
    {ERR_DISK, RECV, PEER, "ask them to look at their disk and to send it again"},
    {ERR_DISK, ALL, PEER, "ask them to free some space"},
    {ERR_PERM, SEND, PEER,
     "ask them to let their meshd write there, or to receive into another directory"},
    {ERR_PERM, RECV, PEER, "ask them to let their meshd read the file, and to send it again"},
    {ERR_PERM, ALL, PEER, "ask them to look at the log of their meshd"},
    {ERR_EXISTS, SEND, PEER,
     "ask them to receive into another directory, or to move what is there out of the way"},
    {ERR_EXISTS, ALL, PEER, "ask them to choose another name"},
    {ERR_NOT_FOUND, SEND, PEER, "ask them to receive into a directory that exists"},
    {ERR_NOT_FOUND, RECV, PEER, "ask them whether the file is still there, and to send it again"},
    {ERR_NOT_FOUND, ALL, PEER, "ask them to look at the log of their meshd"},
    {ERR_USAGE, SEND, PEER, "rename it: the name may be too long for their disk"},
    {ERR_UNSUPPORTED, ALL, PEER, "ask them to run a meshd as new as this one"},
    {ERR_REFUSED, SEND, PEER, "ask them why, or to run: meshctl recv"},
    {ERR_REFUSED, ALL, PEER, "ask them why"},
    {ERR_CANCELLED, SEND, PEER, "ask them why, and send it again"},
    {ERR_CANCELLED, ALL, PEER, "ask them to send it again"},
    {ERR_CHANGED, ALL, PEER,
     "ask them to send it again once nothing writes to it, or a copy of it"},
    {ERR_UNSIZED, ALL, PEER, "ask them to send a copy of it"},
    {ERR_TIMEOUT, RECV, PEER, "ask them to send it again, with more time"},
    {ERR_CLOSED, RECV, PEER, "ask them to start it and to send it again"},
    {ERR_CLOSED, ALL, PEER, "ask them to start it, and try again"},
    {ERR_IO, ALL, PEER, "ask them to look at their disk and at the log of their meshd"},
    {ERR_NOMEM, ALL, PEER, "try again later"},
    {ERR_FULL, ALL, PEER, "try again later"},
    {ERR_AGAIN, ALL, PEER, SAY_NOTHING},
    {ERR_PROTO, ALL, PEER | BETWEEN,
     "one of the two may be of another version: compare what both say to: meshctl --version"},

    /* here */
    {ERR_NOT_FOUND, NUMBER, HERE, "list what there is with: meshctl transfers ls"},
    {ERR_NOT_FOUND, ALL, HERE, "list what there is with: meshctl contact ls"},
    {ERR_EXISTS, RECV | NUMBER, HERE, "receive into another directory with --out"},
    {ERR_EXISTS, TICKET, HERE, "choose another name"}, /* an open ticket is not listed */
    {ERR_EXISTS, ALL, HERE, "see: meshctl contact ls"},
    {ERR_FORMAT, ADD, ANY, "ask for a new one, made with: meshctl ticket"},
    {ERR_UNSUPPORTED, ADD, HERE, SAY_NOTHING},
    {ERR_UNSUPPORTED, TICKET, HERE,
     "name one: below [relay] in meshd.conf, use = HOST:PORT#mesh1..., or with meshd --relay"},
    {ERR_NAME, SEND, HERE,
     "rename it, or send it alone with --as: a name is 1 to 255 bytes of UTF-8, without '/', '\\', "
     "control or invisible characters, and not '.', '..' or .meshd-..."},
    {ERR_REFUSED, ALL, HERE, SAY_NOTHING},
    {ERR_CANCELLED, ALL, HERE, SAY_NOTHING},
    {ERR_CHANGED, SEND, HERE, "send it again once nothing writes to it, or send a copy of it"},
    {ERR_UNSIZED, SEND, HERE, "copy it first, and send the copy; or: meshctl send NAME - <FILE"},
    {ERR_DISK, RECV | NUMBER, HERE, "free some space, or choose another directory with --out"},
    {ERR_DISK, SEND, HERE, "free some space on this machine"},
    {ERR_DISK, ALL, HERE,
     "free some space where meshd keeps its state (meshctl status shows where)"},
    {ERR_PERM, RECV | NUMBER, HERE,
     "let meshd's user write there, or choose another directory with --out"},
    {ERR_PERM, SEND, HERE, "let meshd's user read it"},
    {ERR_PERM, ALL, HERE, "let meshd's user have the directory of its state (see meshctl status)"},
    {ERR_IO, ALL, HERE, "look at the disk and at meshd's log"},
    {ERR_UNSUPPORTED, SEND, HERE,
     "only regular files can be sent: of a directory send the files or an archive, of a device or "
     "pipe a copy"},
    {ERR_FULL, FILES | NUMBER, HERE, "see what is under way with: meshctl transfers ls"},
    {ERR_FULL, ALL, HERE, "try again later"},
    {ERR_NOMEM, ALL, HERE, "end other programs on this machine, or try again later"},
    {ERR_CLOSED, FILES, HERE, "it has to be sent again"},
    {ERR_ENDED, SEND, HERE, "send it again"},
    {ERR_ENDED, RECV, HERE, "ask them to send it again"},

    /* between the two */
    {ERR_TIMEOUT, ADD, ANY, "ask for a new one, made with: meshctl ticket"},
    {ERR_TIMEOUT, RECV, ANY, "allow more time with --timeout, or ask them to send it again"},
    {ERR_TIMEOUT, SEND | MESSAGE | 1 << ADVICE_PEER, BETWEEN | HERE,
     "try again, or allow more time with --timeout"},
    {ERR_TIMEOUT, ALL, ANY, "try again"},
    {ERR_OFFLINE, RECV, ANY, "ask them to send it again"},
    {ERR_CLOSED, RECV, ANY, "ask them to send it again"},
    {ERR_OFFLINE, ALL, ANY,
     "see why: meshctl peers; and whether it is on, with a meshd as new as this one: meshctl wait "
     "--for peer=NAME"},
    {ERR_CLOSED, ALL, ANY,
     "see why: meshctl peers; and whether it is on, with a meshd as new as this one: meshctl wait "
     "--for peer=NAME"},
    {ERR_TICKET, ALL, ANY,
     "ask them for a new one (meshctl ticket), and add it under the same name"},
    {ERR_UNKNOWN, ALL, ANY, PAIR_AGAIN},
    {ERR_SECRET, ALL, ANY, PAIR_AGAIN},
    {ERR_AUTH, ALL, ANY, PAIR_AGAIN},
    {ERR_STALE, ALL, ANY, "use the newer one; or have them remove this node, and pair again"},
    {ERR_INTEGRITY, RECV, ANY, "ask them to send it again"},
    {ERR_INTEGRITY, ALL, ANY, "send it again"},
    {ERR_FORMAT, FILES | MESSAGE, PEER | BETWEEN,
     "one of the two may be of another version: compare what both say to: meshctl --version"},
};

/* Of each limit: what to do when it is met here, and when at the peer. */
static const struct {
    const char *here, *peer;
} limit_rows[LIMITS] = {
    [LIMIT_TRANSFERS] = {"wait until one has ended, or end one: meshctl transfers ls, then meshctl "
                         "cancel N",
                         "try again when some have ended there, or ask them to end some"},
    [LIMIT_OFFERS] = {"accept or reject some: meshctl transfers ls",
                      "ask them to accept or reject some, and send it again"},
    [LIMIT_OFFERS_CONTACT] = {"accept or reject some: meshctl transfers ls",
                              "ask them to accept or reject some, and send it again"},
    [LIMIT_OFFER_BYTES] = {"accept or reject some: meshctl transfers ls",
                           "ask them to accept or reject some, or send an archive of the files"},
    [LIMIT_OFFER_BYTES_CONTACT] = {"accept or reject some: meshctl transfers ls",
                                   "ask them to accept or reject some, or send an archive of the "
                                   "files"},
    [LIMIT_ACCEPT] = {"to take it, raise accept_max in [files] of meshd.conf, let meshd read that "
                      "(SIGHUP), and ask them to send it again",
                      "send less at once, or ask them to raise accept_max in [files] of their "
                      "meshd.conf"},
    [LIMIT_MANIFEST] = {"send fewer files at once, or an archive of them",
                        "send fewer files at once, or an archive of them"},
    [LIMIT_FILES] = {"send fewer files at once, or an archive of them",
                     "send fewer files at once, or an archive of them"},
    [LIMIT_CONTACTS] = {"remove one: meshctl contact rm NAME",
                        "ask them to remove one that they need no more"},
    [LIMIT_TICKETS] = {"wait until one is used or has expired, or burn one that was made with a "
                       "name: meshctl contact rm NAME",
                       "ask them to use or to burn some"},
    [LIMIT_OUTBOX] =
        {"wait until they have been taken, or see why they are not: meshctl contact ls",
         "try again later"},
    [LIMIT_QUOTA] =
        {"delete some: meshctl msgs --with NAME --delete, or raise quota in [messages] of "
         "meshd.conf (read at SIGHUP)",
         "ask them to delete some (meshctl msgs --with NAME --delete), or to raise quota "
         "in [messages] of their meshd.conf"},
    [LIMIT_QUOTA_ALL] = {"delete some: meshctl msgs --with NAME --delete, or raise quota_all in "
                         "[messages] of meshd.conf (read at SIGHUP)",
                         "ask them to delete some (meshctl msgs --with NAME --delete), or to raise "
                         "quota_all in [messages] of their meshd.conf"},
    [LIMIT_MESSAGES_CONTACT] = {"delete some: meshctl msgs --with NAME --delete",
                                "ask them to delete some: meshctl msgs --with NAME --delete"},
    [LIMIT_MESSAGES] = {"delete some: meshctl msgs --with NAME --delete",
                        "ask them to delete some: meshctl msgs --with NAME --delete"},
    [LIMIT_RECVS] = {"end one: each stands for a meshctl recv that runs", "try again later"},
    [LIMIT_RECVS_CONNECTION] = {"end one, or open another connection", "try again later"},
    [LIMIT_PINGS] = {"wait until they are answered", "try again later"},
    [LIMIT_PINGS_CONNECTION] = {"wait until they are answered", "try again later"},
    [LIMIT_REQUESTS] = {"end some of the meshctl that wait", "try again later"},
    [LIMIT_REQUEST_BYTES] = {"split it", "split it"},
    [LIMIT_OPEN_FILES] = {"wait until some transfers have ended: meshctl transfers ls",
                          "try again when some transfers have ended there"},
    [LIMIT_DESCRIPTORS] = {"let it have more: ulimit -n, or LimitNOFILE in its systemd unit",
                           "ask them to let it have more (ulimit -n, or LimitNOFILE in its systemd "
                           "unit), and try again"},
    [LIMIT_UNSYNCED] = {"try again in a moment; if it stays so, the disk is too slow",
                        "try again in a moment; if it stays so, their disk is too slow"},
    [LIMIT_STREAMS] = {"try again when some transfers have ended", "try again later"},
    [LIMIT_BEGINNINGS] = {"try again later", "try again later"},
    [LIMIT_CONNECTIONS] = {"end some of them, as meshctl recv, events or msgs --follow",
                           "try again later"},
    [LIMIT_REQUEST_POOL] = {"try again in a moment, or split it", "try again later"},
    [LIMIT_DISK_QUOTA] =
        {"delete some files of meshd's user on that file system, or have the quota "
         "raised",
         "ask them to delete some files, to have the quota raised, or to receive "
         "elsewhere"},
    [LIMIT_FILE_SIZE] = {"use another file system (FAT takes less than 4 GiB), or have it sent in "
                         "parts",
                         "send it in parts, or ask them to receive into another file system"},
};

enum advice_op advice_op(const char *method) {
    static const struct {
        const char *begins;
        enum advice_op op;
    } methods[] = {
        {"transfer.send", ADVICE_SEND}, {"transfer.", ADVICE_NUMBER},  {"recv.", ADVICE_RECV},
        {"message.", ADVICE_MESSAGE},   {"ticket.", ADVICE_TICKET},    {"contact.add", ADVICE_ADD},
        {"contact.", ADVICE_CONTACT},   {"peer.list", ADVICE_CONTACT}, {"peer.", ADVICE_PEER},
        {"wait", ADVICE_PEER},
    };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strncmp(method, methods[i].begins, strlen(methods[i].begins)) == 0)
            return methods[i].op;
    return ADVICE_OTHER;
}

const char *advice(enum advice_op op, int err, const struct cause *c, const char *detail) {
    if (c->limit != LIMIT_NONE)
        return c->side == SIDE_PEER ? limit_rows[c->limit].peer : limit_rows[c->limit].here;
    if (err == ERR_NOT_FOUND && c->side == SIDE_LOCAL && detail[0] == '/')
        return "check the path";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].err == err && rows[i].ops >> op & 1 && rows[i].sides >> c->side & 1)
            return rows[i].text;
    return c->side == SIDE_PEER ? THEIR_LOG : NULL;
}

/* Whether the sentence says the detail itself: in quotes, since a contact may be called "c". That
 * it is about the ticket is no news in a sentence about one. */
static bool names(const char *text, const char *detail) {
    char quoted[260];
    if (strcmp(detail, "ticket") == 0 && strstr(text, detail))
        return true;
    snprintf(quoted, sizeof quoted, "\"%s\"", detail);
    return strcmp(text, detail) == 0 || strstr(text, quoted) != NULL;
}

void advice_say(char out[static ADVICE_SAY_MAX], enum advice_op op, const struct failure *f) {
    char own[CAUSE_TEXT_MAX];
    const char *detail = f->detail ? f->detail : "", *text = f->text;
    if (!text) {
        cause_text(own, f->err, &f->cause);
        text = own;
    }
    /* A detail that says how the connection was closed is the sentence: that it is closed is no
     * news. */
    if (f->err == ERR_CLOSED && strncmp(detail, "the connection ", 15) == 0)
        text = detail;
    const bool quote = detail[0] && !names(text, detail);
    const char *remedy = advice(op, f->err, &f->cause, detail);
    snprintf(out, ADVICE_SAY_MAX, "%s%s%s%s%s%s", text, quote ? ": \"" : "", quote ? detail : "",
             quote ? "\"" : "", remedy ? "; " : "", remedy ? remedy : "");
}

struct failure advice_failure(const msgpack_object *error, char text[static ADVICE_SAY_MAX / 2],
                              char detail[static 256]) {
    struct failure f = {.err = err_from_wire(proto_get_uint(error, "num", 1)), .detail = detail};
    char name[64];
    const msgpack_object *limit = proto_get(error, "limit");
    if (proto_copy_str(error, "side", name, sizeof name))
        f.cause.side = side_by_name(name);
    if (proto_copy_str(limit, "name", name, sizeof name))
        f.cause.limit = limit_by_name(name);
    f.cause.max = proto_get_uint(limit, "max", 0);
    if (proto_copy_str(error, "text", text, ADVICE_SAY_MAX / 2))
        f.text = text;
    (void)proto_copy_str(error, "detail", detail, 256);
    return f;
}
