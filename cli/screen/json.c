#include "cli/screen/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/screen/print.h"
#include "node/api/utf8.h"

json_t *json_text(const char *s, size_t len) {
    json_t *plain = json_stringn(s, len);
    if (plain)
        return plain;
    char *fixed = print_alloc(3 * len + 1);
    size_t out = 0;
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        size_t n = utf8_read(s + i, len - i, &cp);
        memcpy(fixed + out, n ? s + i : "\xef\xbf\xbd", n ? n : 3);
        out += n ? n : 3;
        i += n ? n : 1;
    }
    json_t *o = json_stringn_nocheck(fixed, out);
    free(fixed);
    return o;
}

static json_t *json_from_map(const msgpack_object_map *map) {
    json_t *o = json_object();
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object *k = &map->ptr[i].key;
        if (k->type != MSGPACK_OBJECT_STR)
            continue;
        char *key = print_alloc(k->via.str.size + (size_t)1);
        memcpy(key, k->via.str.ptr, k->via.str.size);
        key[k->via.str.size] = '\0';
        if (json_object_set_new(o, key, json_from(&map->ptr[i].val)) != 0) {
            /* A key that is not UTF-8 is none of ours. */
        }
        free(key);
    }
    return o;
}

json_t *json_from(const msgpack_object *o) {
    if (!o)
        return json_null();
    json_t *array;
    switch (o->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(o->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return o->via.u64 <= INT64_MAX ? json_integer((json_int_t)o->via.u64)
                                       : json_real((double)o->via.u64);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return json_integer((json_int_t)o->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return json_real(o->via.f64);
    case MSGPACK_OBJECT_STR:
        return json_text(o->via.str.ptr, o->via.str.size);
    case MSGPACK_OBJECT_ARRAY:
        array = json_array();
        for (uint32_t i = 0; i < o->via.array.size; i++)
            json_array_append_new(array, json_from(&o->via.array.ptr[i]));
        return array;
    case MSGPACK_OBJECT_MAP:
        return json_from_map(&o->via.map);
    case MSGPACK_OBJECT_NIL:
    case MSGPACK_OBJECT_BIN:
    case MSGPACK_OBJECT_EXT:
        break;
    }
    return json_null();
}

void print_json(json_t *o) {
    json_object_set_new(o, "schema", json_integer(PRINT_SCHEMA));
    char *text = print_or_die(json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENSURE_ASCII |
                                                JSON_REAL_PRECISION(PRINT_REAL_DIGITS)));
    puts(text);
    fflush(stdout);
    free(text);
    json_decref(o);
}
