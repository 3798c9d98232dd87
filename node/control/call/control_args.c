#include "node/control/call/control_args.h"

#include <string.h>

#include "crypto/base/mem.h"

/* A name from the client for use in a sentence: cut, and without anything a terminal could obey. */
static const char *printable(const msgpack_object *key, char out[static 40]) {
    size_t n = 0;
    for (; n < key->via.str.size && n < 39; n++) {
        char ch = key->via.str.ptr[n];
        out[n] = ch > ' ' && ch <= '~' ? ch : '?';
    }
    out[n] = '\0';
    return out;
}

static const char *kind_text(enum arg_kind k) {
    switch (k) {
    case ARG_STR:
    case ARG_TEXT:
        return "a string";
    case ARG_UINT:
        return "a number, 0 or more";
    case ARG_BOOL:
        return "true or false";
    case ARG_STRS:
    case ARG_FEW:
        return "an array of strings";
    }
    return "something else";
}

static bool is_plain(const msgpack_object *v) {
    return v->type == MSGPACK_OBJECT_STR &&
           (v->via.str.size == 0 || !memchr(v->via.str.ptr, '\0', v->via.str.size));
}

static int check_strs(struct call *call, const struct arg_spec *s, const msgpack_object *v) {
    uint32_t most = s->kind == ARG_FEW ? CONTROL_FEW_MAX : TRANSFER_FILES_MAX;
    if (v->via.array.size > most && s->kind == ARG_STRS)
        return call_limit(call, LIMIT_FILES, most, s->name);
    if (v->via.array.size > most)
        return call_fail(call, ERR_USAGE, s->name, "\"%s\" has more than %u entries", s->name,
                         (unsigned)most);
    for (uint32_t i = 0; i < v->via.array.size; i++) {
        const msgpack_object *e = &v->via.array.ptr[i];
        if (!is_plain(e))
            return call_fail(call, ERR_USAGE, s->name, "\"%s\" must hold strings only", s->name);
        if (e->via.str.size > s->max)
            return call_fail(call, ERR_USAGE, s->name,
                             "an entry of \"%s\" is longer than %llu bytes", s->name,
                             (unsigned long long)s->max);
    }
    return 0;
}

static int check_value(struct call *call, const struct arg_spec *s, const msgpack_object *v) {
    bool fits = false;
    uint64_t size = 0;
    switch (s->kind) {
    case ARG_STR:
        fits = is_plain(v);
        size = fits ? v->via.str.size : 0;
        break;
    case ARG_TEXT:
        fits = v->type == MSGPACK_OBJECT_STR;
        size = fits ? v->via.str.size : 0;
        break;
    case ARG_UINT:
        fits = v->type == MSGPACK_OBJECT_POSITIVE_INTEGER;
        if (fits && s->max > 0 && v->via.u64 > s->max)
            return call_fail(call, ERR_USAGE, s->name, "\"%s\" may be %llu at most", s->name,
                             (unsigned long long)s->max);
        break;
    case ARG_BOOL:
        fits = v->type == MSGPACK_OBJECT_BOOLEAN;
        break;
    case ARG_STRS:
    case ARG_FEW:
        fits = v->type == MSGPACK_OBJECT_ARRAY;
        if (fits)
            return check_strs(call, s, v);
        break;
    }
    if (!fits)
        return call_fail(call, ERR_USAGE, s->name, "\"%s\" must be %s", s->name,
                         kind_text(s->kind));
    if (size > s->max && s->kind != ARG_UINT)
        return call_fail(call, ERR_USAGE, s->name, "\"%s\" is longer than %llu bytes", s->name,
                         (unsigned long long)s->max);
    return 0;
}

static int check_entry(struct call *call, const msgpack_object_kv *kv, unsigned *seen) {
    if (kv->key.type != MSGPACK_OBJECT_STR)
        return call_fail(call, ERR_USAGE, NULL, "the names of arguments are strings");
    const struct arg_spec *specs = call->method->args;
    char name[40];
    for (unsigned i = 0; specs[i].name; i++) {
        if (!proto_str_is(&kv->key, specs[i].name))
            continue;
        if (*seen & 1u << i)
            return call_fail(call, ERR_USAGE, specs[i].name, "\"%s\" is given twice",
                             specs[i].name);
        *seen |= 1u << i;
        if (kv->val.type == MSGPACK_OBJECT_NIL && !specs[i].required)
            return 0;
        return check_value(call, &specs[i], &kv->val);
    }
    printable(&kv->key, name);
    return call_fail(call, ERR_USAGE, name, "%s has no argument \"%s\"", call->method->name, name);
}

int args_check(struct call *call, const msgpack_object *params) {
    /* Generic MessagePack-RPC clients send positional parameters, an array: ours is its only
     * element. */
    if (params->type == MSGPACK_OBJECT_ARRAY && params->via.array.size == 1)
        params = params->via.array.ptr;
    bool none = params->type == MSGPACK_OBJECT_NIL ||
                (params->type == MSGPACK_OBJECT_ARRAY && params->via.array.size == 0);
    if (!none && params->type != MSGPACK_OBJECT_MAP)
        return call_fail(call, ERR_USAGE, NULL, "arguments are given as one map");
    unsigned seen = 0;
    for (uint32_t i = 0; !none && i < params->via.map.size; i++) {
        int err = check_entry(call, &params->via.map.ptr[i], &seen);
        if (err)
            return err;
    }
    const struct arg_spec *specs = call->method->args;
    for (unsigned i = 0; specs[i].name; i++)
        if (specs[i].required && !(seen & 1u << i))
            return call_fail(call, ERR_USAGE, specs[i].name, "%s needs the argument \"%s\"",
                             call->method->name, specs[i].name);
    call->params = none ? NULL : params;
    return 0;
}

/* ---- getters ---- */

static const msgpack_object *given(const struct call *call, const char *name) {
    const msgpack_object *v = proto_get(call->params, name);
    return v && v->type != MSGPACK_OBJECT_NIL ? v : NULL;
}

bool arg_given(const struct call *call, const char *name) {
    return given(call, name) != NULL;
}

uint64_t arg_uint(const struct call *call, const char *name, uint64_t fallback) {
    return proto_get_uint(call->params, name, fallback);
}

bool arg_bool(const struct call *call, const char *name) {
    return proto_get_bool(call->params, name);
}

bool arg_str(const struct call *call, const char *name, char *out, size_t cap) {
    return proto_copy_str(call->params, name, out, cap);
}

const char *arg_text(const struct call *call, const char *name, size_t *len) {
    return proto_get_str(call->params, name, len);
}

char **arg_strs(const struct call *call, const char *name, unsigned *count) {
    const msgpack_object *a = given(call, name);
    uint32_t n = a ? a->via.array.size : 0;
    size_t bytes = (n + 1) * sizeof(char *);
    for (uint32_t i = 0; i < n; i++)
        bytes += a->via.array.ptr[i].via.str.size + (size_t)1;
    char **out = mem_alloc(bytes);
    if (!out)
        return NULL;
    char *at = (char *)(out + n + 1);
    for (uint32_t i = 0; i < n; i++) {
        const msgpack_object_str *s = &a->via.array.ptr[i].via.str;
        out[i] = at;
        if (s->size > 0)
            memcpy(at, s->ptr, s->size);
        at[s->size] = '\0';
        at += s->size + (size_t)1;
    }
    out[n] = NULL;
    *count = n;
    return out;
}

uint64_t arg_deadline(const struct call *call, const char *name) {
    uint64_t us = arg_uint(call, name, 0);
    return us > 0 ? call->now_us + us : UINT64_MAX;
}
