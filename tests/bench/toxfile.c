/* toxfile.c: ME OTHER HOST DIR OUT: a plain file sender and receiver on toxcore, to measure it.
 * Writes its keys to DIR/ME.id, befriends who wrote DIR/OTHER.id and is reached at HOST, creates
 * DIR/ME.online when it is; sends the file that DIR/ME.send names, once it appears; what comes is
 * written to OUT, synced, and has its name when it is whole. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tox/tox.h>

enum { PORT = 33445, KEY = TOX_PUBLIC_KEY_SIZE };

struct state {
    const char *me, *dir, *out;
    int from, to; /* files being sent and received, -1: none */
    uint64_t got_bytes, size_bytes;
    char name[256];
};

static void path_of(char path[static 512], const char *dir, const char *who, const char *end) {
    if (snprintf(path, 512, "%s/%s%s", dir, who, end) >= 512)
        exit(2);
}

/* Appears whole or not at all. */
static void publish(const struct state *s, const char *end, const void *data, size_t len) {
    char temporary[512], path[512];
    path_of(temporary, s->dir, s->me, ".new");
    path_of(path, s->dir, s->me, end);
    FILE *f = fopen(temporary, "w");
    if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0 || rename(temporary, path) != 0)
        exit(1);
}

static void on_online(Tox *tox, uint32_t friend, Tox_Connection c, void *ctx) {
    (void)tox;
    (void)friend;
    if (c == TOX_CONNECTION_UDP)
        publish(ctx, ".online", "", 0);
}

static void on_request(Tox *tox, uint32_t friend, uint32_t file, uint64_t at, size_t len,
                       void *ctx) {
    struct state *s = ctx;
    uint8_t chunk[4096];
    if (len == 0) {
        close(s->from);
        s->from = -1;
        return;
    }
    if (len > sizeof chunk || pread(s->from, chunk, len, (off_t)at) != (ssize_t)len)
        exit(1);
    tox_file_send_chunk(tox, friend, file, at, chunk, len, NULL);
}

static void on_offer(Tox *tox, uint32_t friend, uint32_t file, uint32_t kind, uint64_t size,
                     const uint8_t *name, size_t len, void *ctx) {
    struct state *s = ctx;
    char path[512];
    if (kind != TOX_FILE_KIND_DATA)
        return;
    snprintf(s->name, sizeof s->name, "%.*s", (int)len, (const char *)name);
    path_of(path, s->out, ".part", "");
    s->to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    s->size_bytes = size;
    s->got_bytes = 0;
    if (s->to < 0 || !tox_file_control(tox, friend, file, TOX_FILE_CONTROL_RESUME, NULL))
        exit(1);
}

static void on_chunk(Tox *tox, uint32_t friend, uint32_t file, uint64_t at, const uint8_t *data,
                     size_t len, void *ctx) {
    struct state *s = ctx;
    char part[512], path[512];
    (void)tox;
    (void)friend;
    (void)file;
    if (s->to < 0)
        return;
    if (len > 0 && pwrite(s->to, data, len, (off_t)at) != (ssize_t)len)
        exit(1);
    s->got_bytes += len;
    if (s->got_bytes < s->size_bytes)
        return;
    path_of(part, s->out, ".part", "");
    path_of(path, s->out, s->name, "");
    if (fsync(s->to) != 0 || close(s->to) != 0 || rename(part, path) != 0)
        exit(1);
    s->to = -1;
}

/* The other's keys, when they are there. */
static bool befriend(Tox *tox, const char *dir, const char *other, const char *host) {
    char path[512];
    uint8_t keys[2 * KEY];
    path_of(path, dir, other, ".id");
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    size_t n = fread(keys, 1, sizeof keys, f);
    fclose(f);
    if (n != sizeof keys || tox_friend_add_norequest(tox, keys, NULL) == UINT32_MAX)
        exit(1);
    tox_bootstrap(tox, host, PORT, keys + KEY, NULL);
    return true;
}

static void send_asked(Tox *tox, struct state *s) {
    char order[512], path[512] = "";
    path_of(order, s->dir, s->me, ".send");
    FILE *f = fopen(order, "r");
    if (!f)
        return;
    bool read = fgets(path, sizeof path, f) != NULL;
    fclose(f);
    unlink(order);
    s->from = read ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    off_t size = lseek(s->from, 0, SEEK_END);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (size < 0 || tox_file_send(tox, 0, TOX_FILE_KIND_DATA, (uint64_t)size, NULL,
                                  (const uint8_t *)name, strlen(name), NULL) == UINT32_MAX)
        exit(1);
}

int main(int argc, char **argv) {
    if (argc != 6)
        return 2;
    struct state s = {.me = argv[1], .dir = argv[4], .out = argv[5], .from = -1, .to = -1};
    struct Tox_Options *o = tox_options_new(NULL);
    tox_options_set_start_port(o, PORT);
    tox_options_set_end_port(o, PORT);
    tox_options_set_local_discovery_enabled(o, false);
    Tox *tox = tox_new(o, NULL);
    tox_options_free(o);
    if (!tox)
        return 1;
    tox_callback_friend_connection_status(tox, on_online);
    tox_callback_file_chunk_request(tox, on_request);
    tox_callback_file_recv(tox, on_offer);
    tox_callback_file_recv_chunk(tox, on_chunk);
    uint8_t keys[2 * KEY];
    tox_self_get_public_key(tox, keys);
    tox_self_get_dht_id(tox, keys + KEY);
    publish(&s, ".id", keys, sizeof keys);
    for (bool friends = false;;) {
        if (!friends)
            friends = befriend(tox, argv[4], argv[2], argv[3]);
        if (s.from < 0)
            send_asked(tox, &s);
        tox_iterate(tox, &s);
        uint32_t ms = s.from >= 0 || s.to >= 0 ? 1 : tox_iteration_interval(tox);
        nanosleep(&(struct timespec){.tv_nsec = (long)(ms > 20 ? 20 : ms) * 1000000}, NULL);
    }
}
