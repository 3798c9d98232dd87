/* config.h: meshd.conf, an INI file (node/config/ini), from text to settings and back. Pure: the
 * daemon reads the file.
 *
 *   [node]       listen        address:port, several separated by commas or on several lines.
 *                Default
 *                              0.0.0.0:7557 and [::]:7557, of which one may be missing on the
 *                              machine
 *                network       name or secret of a private mesh; empty = the public mesh
 *                log           error | warn | info | debug
 *   [files]      download_dir  where accepted files go, an absolute path or one from "~/" on, the
 *                home
 *                              directory. Default ~/Downloads
 *                accept        ask | contacts
 *                accept_max    larger transfers are refused; bytes, or with K, M, G, T (powers of
 *                              1024); 0 = no limit
 *   [messages]   quota         what one contact's messages may take in the history, in bytes;
 *                Default 32M
 *                quota_all     and all contacts' together. Default 512M
 *   [transport]  congestion    bbr | cubic | reno
 *                aead          auto | libsodium | libcrypto | ipsec-mb
 *                udp           auto | portable
 *   [relay]      use           HOST:PORT#mesh1..., several separated by commas or on several lines
 *                serve         yes | no: forwards for others
 *                capacity      bit/s forwarded in all, or with K, M, G, T (powers of 1000). Default
 *                              100M
 *                flows_per_node, reservations_per_prefix   Default 64 and 256
 *                rate_per_node bit/s for one client; 0 = only the capacity limits
 *                quota_per_day bytes for one client in a day; 0 = no limit
 *                allow, block  node ids, as `use`
 *   [path]       policy        auto | relay_only | direct_only
 *   [control]    socket        path of the control socket
 *
 * Nothing is guessed: an unknown section or key, a key given twice or outside its section, a value
 * outside its list, a path that depends on where meshd is started and a line that is neither are
 * errors with their line and what is expected.
 */
#ifndef MESHD_NODE_CONFIG_CONFIG_H
#define MESHD_NODE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/aead/aead.h"
#include "net/base/addr.h"
#include "net/cc/cc.h"
#include "node/base/relay_config.h"
#include "node/config/config_relay.h"
#include "node/node.h"

enum {
    CONFIG_LISTEN_MAX = 8,
    CONFIG_PORT = 7557,
    CONFIG_PATH_MAX = 512,                        /* with the NUL */
    CONFIG_NETWORK_MAX = 256,                     /* with the NUL */
    CONFIG_TEXT_MAX = 64 * 1024,                  /* a file larger than this is refused */
    CONFIG_OUT_MAX = 4096 + CONFIG_RELAY_OUT_MAX, /* config_write never needs more */
};

struct config {
    struct addr listen[CONFIG_LISTEN_MAX];
    unsigned listen_count;
    bool listen_default;              /* nothing was asked for: one of them may fail to open */
    char network[CONFIG_NETWORK_MAX]; /* secret */
    enum log_level log;
    char download_dir[CONFIG_PATH_MAX]; /* as written; empty: the default */
    enum accept_rule accept;
    uint64_t accept_max_bytes;
    uint64_t quota_bytes, quota_all_bytes;
    enum cc_kind cc;
    enum aead_provider aead;
    bool udp_portable;
    struct relay_config relay;
    enum path_policy path;
    char socket[CONFIG_PATH_MAX]; /* as written; empty: the default */
};

struct config_error {
    unsigned line; /* from 1; 0: about the whole text */
    char text[CONFIG_RELAY_WRONG_MAX];
};

/* The defaults. */
void config_init(struct config *c);
void config_clear(struct config *c); /* wipes the network secret */

/* Puts the settings of text[0..len) over those in *c. ERR_FORMAT with *e filled; *c is then
 * unchanged. */
int config_parse(struct config *c, const char *text, size_t len, struct config_error *e) MUST_USE;
/* One listen address more (command line); the first one takes the place of the default. ERR_FORMAT,
 * ERR_FULL, ERR_EXISTS (there already, with a port that is not 0). */
int config_listen(struct config *c, const char *text) MUST_USE;
int config_log_level(enum log_level *out, const char *text) MUST_USE; /* ERR_FORMAT */
const char *config_log_level_name(enum log_level l);

/* The settings in the file's own form; the network secret is not shown, only that there is one. */
void config_write(const struct config *c, char out[static CONFIG_OUT_MAX]);

/* What the handshake binds: all zeroes for the public mesh, else BLAKE2b-256("meshd network v1" |
 * network). */
void config_network_id(const struct config *c, uint8_t out[static 32]);

#endif
