#include "node/file/manifest/manifest_in.h"

#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/tree/treehash.h"
#include "node/channel/pack.h"

enum manifest_place { IN_ROOT, IN_FILES, IN_FILE, IN_UNKNOWN };

enum token_kind { TOKEN_UINT, TOKEN_NEGATIVE, TOKEN_STR, TOKEN_ARRAY, TOKEN_MAP, TOKEN_OTHER };

struct token {
    enum token_kind kind;
    uint64_t value; /* of an integer, in two's complement; elements or pairs; bytes of a body */
    bool body;      /* so many bytes follow it */
};

enum { KEY_UNKNOWN = 7 }; /* the known ones are their places in these lists */
enum { KEY_VERSION, KEY_ALG, KEY_FILES, ROOT_KEYS };
enum { KEY_NAME, KEY_SIZE, KEY_MODE, KEY_TIME, FILE_KEYS };
static const char *const root_keys[ROOT_KEYS] = {"v", "alg", "files"};
static const char *const file_keys[FILE_KEYS] = {"n", "s", "m", "t"};

void manifest_in_init(struct manifest_in *in, const uint8_t key[static MANIFEST_KEY_BYTES]) {
    *in = (struct manifest_in){0};
    manifest_init(&in->manifest, key);
}

void manifest_in_clear(struct manifest_in *in) {
    manifest_clear(&in->manifest);
    *in = (struct manifest_in){0};
}

/* ---- tokens ---- */
/* Bytes of the header that begins with b; 0: there is no such format. */
static unsigned head_bytes(uint8_t b) {
    struct scan_head h;
    return scan_head(&b, 1, &h) < 0 ? 0 : h.size;
}

static struct token token_of(const struct manifest_in *in) {
    struct scan_head h;
    if (scan_head(in->head, in->head_len, &h) != 1)
        return (struct token){.kind = TOKEN_OTHER}; /* never: it is whole */
    switch (h.kind) {
    case SCAN_UINT:
        return (struct token){.kind = TOKEN_UINT, .value = h.number};
    case SCAN_NEGATIVE:
        return (struct token){.kind = TOKEN_NEGATIVE, .value = h.number};
    case SCAN_STR:
        return (struct token){.kind = TOKEN_STR, .value = h.body, .body = true};
    case SCAN_ARRAY:
        return (struct token){.kind = TOKEN_ARRAY, .value = h.children};
    case SCAN_MAP:
        return (struct token){.kind = TOKEN_MAP, .value = h.children / 2};
    case SCAN_BIN:
    case SCAN_EXT:
        return (struct token){.kind = TOKEN_OTHER, .value = h.body, .body = true};
    case SCAN_OTHER:
        break;
    }
    return (struct token){.kind = TOKEN_OTHER};
}

/* ---- what they mean ---- */
static int open_level(struct manifest_in *in, enum manifest_place place, const struct token *t) {
    const bool map = t->kind == TOKEN_MAP;
    if (in->depth == MANIFEST_DEPTH || (map && t->value > PACK_KEYS_MAX))
        return ERR_PROTO;
    in->open[in->depth++] =
        (struct manifest_level){.kind = (uint8_t)place, .map = map, .left = (uint32_t)t->value};
    return 0;
}

static int take_key(struct manifest_in *in, struct manifest_level *l, const struct token *t) {
    l->at_value = true;
    l->key = KEY_UNKNOWN;
    if (l->kind == IN_UNKNOWN) /* as a value: a container as a key is opened too */
        return t->kind == TOKEN_MAP || t->kind == TOKEN_ARRAY ? ERR_PROTO : 0;
    if (t->kind != TOKEN_STR)
        return ERR_PROTO;
    const char *const *keys = l->kind == IN_ROOT ? root_keys : file_keys;
    const unsigned count = l->kind == IN_ROOT ? ROOT_KEYS : FILE_KEYS;
    for (uint8_t k = 0; k < count; k++)
        if (strlen(keys[k]) == in->text_len && memcmp(keys[k], in->text, in->text_len) == 0)
            l->key = k;
    if (l->key == KEY_UNKNOWN)
        return 0;
    if (l->seen >> l->key & 1)
        return ERR_PROTO;
    l->seen |= (uint8_t)(1u << l->key);
    return 0;
}

static int take_root_value(struct manifest_in *in, uint8_t key, const struct token *t) {
    if (key == KEY_FILES)
        return t->kind == TOKEN_ARRAY && t->value >= 1 && t->value <= TRANSFER_FILES_MAX
                   ? open_level(in, IN_FILES, t)
                   : ERR_PROTO;
    if (t->kind != TOKEN_UINT)
        return ERR_PROTO;
    return t->value == (key == KEY_VERSION ? 1 : TREEHASH_ALG) ? 0 : ERR_UNSUPPORTED;
}

static int take_file_value(struct manifest_in *in, uint8_t key, const struct token *t) {
    const bool whole = t->kind == TOKEN_UINT;
    struct manifest_file *f = &in->file;
    switch (key) {
    case KEY_NAME:
        if (t->kind != TOKEN_STR || !manifest_name_ok(in->text, in->text_len))
            return ERR_PROTO;
        memcpy(in->name, in->text, in->text_len);
        in->name_len = in->text_len;
        return 0;
    case KEY_SIZE:
        f->size = t->value;
        return whole && t->value <= VARINT_MAX ? 0 : ERR_PROTO;
    case KEY_MODE:
        f->mode = (uint32_t)t->value & 0777;
        return whole && t->value <= UINT32_MAX ? 0 : ERR_PROTO;
    default:
        f->mtime_s = (int64_t)t->value;
        return (whole && t->value <= INT64_MAX) || t->kind == TOKEN_NEGATIVE ? 0 : ERR_PROTO;
    }
}

static int take_value(struct manifest_in *in, struct manifest_level *l, const struct token *t) {
    if (l->kind == IN_FILES) {
        in->file = (struct manifest_file){.mode = 0644};
        return t->kind == TOKEN_MAP ? open_level(in, IN_FILE, t) : ERR_PROTO;
    }
    if (l->kind == IN_ROOT && l->key != KEY_UNKNOWN)
        return take_root_value(in, l->key, t);
    if (l->kind == IN_FILE && l->key != KEY_UNKNOWN)
        return take_file_value(in, l->key, t);
    return t->kind == TOKEN_MAP || t->kind == TOKEN_ARRAY ? open_level(in, IN_UNKNOWN, t) : 0;
}

static int file_ended(struct manifest_in *in, unsigned seen) {
    enum { NEEDED = 1 << KEY_NAME | 1 << KEY_SIZE };
    struct manifest *m = &in->manifest;
    if ((seen & NEEDED) != NEEDED || in->file.size > VARINT_MAX - m->total_bytes)
        return ERR_PROTO;
    const int err = manifest_add(m, in->name, in->name_len);
    if (err)
        return err == ERR_NOMEM ? err : ERR_PROTO;
    in->file.name = m->files[m->count - 1].name;
    m->files[m->count - 1] = in->file;
    m->total_bytes += in->file.size;
    return 0;
}

/* A value has ended, and with it the containers whose last one it was. */
static int value_ended(struct manifest_in *in) {
    enum { NEEDED = 1 << KEY_VERSION | 1 << KEY_ALG | 1 << KEY_FILES };
    while (in->depth > 0) {
        struct manifest_level *l = &in->open[in->depth - 1];
        if (l->left > 0) {
            l->at_value = false;
            if (--l->left > 0)
                return 0;
        }
        if (l->kind == IN_ROOT && (l->seen & NEEDED) != NEEDED)
            return ERR_PROTO;
        const int err = l->kind == IN_FILE ? file_ended(in, l->seen) : 0;
        if (err)
            return err;
        in->depth--;
    }
    in->whole = true;
    return 0;
}

static int take_token(struct manifest_in *in, const struct token *t) {
    const unsigned depth = in->depth;
    int err;
    if (depth == 0) {
        err = t->kind == TOKEN_MAP ? open_level(in, IN_ROOT, t) : ERR_PROTO;
    } else {
        struct manifest_level *l = &in->open[depth - 1];
        if (l->map && !l->at_value)
            return take_key(in, l, t);
        err = take_value(in, l, t);
    }
    /* What was opened and is not empty goes on; everything else is a value that is complete. */
    if (err || (in->depth > depth && in->open[depth].left > 0))
        return err;
    return value_ended(in);
}

/* ---- bytes ---- */
/* A whole head: a token, or the body that belongs to one comes next. */
static int take_head(struct manifest_in *in) {
    const struct token t = token_of(in);
    in->head_need = 0;
    if (t.body && t.value > 0) {
        in->in_body = true;
        in->body_left = t.value;
        in->text_len = 0;
        return 0;
    }
    in->text_len = 0;
    in->head_len = 0;
    return take_token(in, &t);
}

static size_t feed_body(struct manifest_in *in, const uint8_t *p, size_t len) {
    const size_t n = in->body_left < len ? (size_t)in->body_left : len;
    /* One byte more than a name may have is kept, so that a longer one is seen to be too long. */
    const size_t room = sizeof in->text - in->text_len, keep = n < room ? n : room;
    memcpy(in->text + in->text_len, p, keep);
    in->text_len += keep;
    in->body_left -= n;
    return n;
}

static size_t feed_head(struct manifest_in *in, const uint8_t *p, size_t len) {
    size_t n = 0;
    if (in->head_need == 0) {
        in->head[0] = p[n++];
        in->head_len = 1;
        in->head_need = (uint8_t)head_bytes(in->head[0]);
    }
    while (n < len && in->head_len < in->head_need)
        in->head[in->head_len++] = p[n++];
    return n;
}

int manifest_in_feed(struct manifest_in *in, const uint8_t *p, size_t len) {
    int err = 0;
    for (size_t at = 0; at < len && !err;) {
        if (in->whole)
            return ERR_PROTO;
        if (in->in_body) {
            at += feed_body(in, p + at, len - at);
            if (in->body_left > 0)
                continue;
            const struct token t = token_of(in);
            in->in_body = false;
            in->head_len = 0;
            err = take_token(in, &t);
            continue;
        }
        if (in->head_need == 0 && head_bytes(p[at]) == 0)
            return ERR_PROTO;
        at += feed_head(in, p + at, len - at);
        if (in->head_len == in->head_need)
            err = take_head(in);
    }
    return err;
}

int manifest_in_take(struct manifest_in *in, struct manifest *out) {
    if (!in->whole)
        return ERR_PROTO;
    manifest_complete(&in->manifest);
    *out = in->manifest;
    in->manifest = (struct manifest){0};
    return 0;
}
