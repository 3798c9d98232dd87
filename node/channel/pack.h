/* pack.h: msgpack from a peer, taken apart with bounds. Included by the codecs of node/ only
 * (manifest, letter, reply).
 *
 * msgpack-c allocates arrays as large as their header says before it has seen one element; so the
 * bytes are scanned first, without allocating, against a bound on depth and on the number of
 * objects.
 */
#ifndef MESHD_NODE_CHANNEL_PACK_H
#define MESHD_NODE_CHANNEL_PACK_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

enum {
    PACK_KEYS_MAX = 16
}; /* pairs a map may have in our messages: the known ones and room for later ones */

/* True if in[0..len) is exactly one well-formed object, nested at most `depth` deep, of at most
 * `objects` objects, whose maps have at most PACK_KEYS_MAX pairs. */
bool pack_scan(const uint8_t *in, size_t len, unsigned depth, size_t objects);

/* Scans and unpacks into a new zone: the object lives until pack_close. It points into `in`.
 * ERR_PROTO, ERR_NOMEM. */
struct pack {
    msgpack_zone zone;
    msgpack_object root;
};
int pack_open(struct pack *p, const uint8_t *in, size_t len, unsigned depth,
              size_t objects) MUST_USE;
void pack_close(struct pack *p);

/* out[i] = the value of keys[i] or NULL. False if `map` is no map, a key is not a string, or a
 * known key is doubled. Unknown keys are passed over: they are for later versions. */
bool pack_fields(const msgpack_object *map, const char *const *keys, unsigned nkeys,
                 const msgpack_object **out);
bool pack_uint(const msgpack_object *o, uint64_t max,
               uint64_t *out); /* false if NULL, no integer, > max */
bool pack_int(const msgpack_object *o, int64_t *out);
bool pack_str(const msgpack_object *o, const char **s, size_t *len);

/* Writing: a buffer and a packer with a sticky error. */
struct packer {
    struct {
        char *data;
        uint32_t size, cap;
    } buf;
    msgpack_packer pk;
    bool failed;
};
void packer_init(struct packer *p);
void packer_clear(struct packer *p);
void packer_map(struct packer *p, size_t pairs);
void packer_array(struct packer *p, size_t n);
void packer_str(struct packer *p, const char *s, size_t len);
void packer_key(struct packer *p, const char *key);
void packer_uint(struct packer *p, uint64_t v);
void packer_int(struct packer *p, int64_t v);
void packer_true(struct packer *p);
void packer_bin(struct packer *p, const void *b, size_t len);

#endif
