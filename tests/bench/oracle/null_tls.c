/* The handshake without TLS: what either side sends, and keys that are constants. */
#include "tests/bench/oracle/null_tls.h"

#include <string.h>

enum { TAG_BYTES = 16, IV_BYTES = 12, SECRET_BYTES = 16, PARAMS_MAX_BYTES = 512 };

static const uint8_t iv[IV_BYTES], secret[SECRET_BYTES];
static const ngtcp2_crypto_aead_ctx no_aead;
static const ngtcp2_crypto_cipher_ctx no_cipher;
static const ngtcp2_crypto_ctx null_ctx = {.aead = {.max_overhead = TAG_BYTES},
                                           .max_encryption = UINT64_MAX,
                                           .max_decryption_failure = UINT64_MAX};

/* ---- packet protection: the tag is the nonce, so that a packet whose number was expanded wrongly
 * is discarded, as a real AEAD would do ---- */

static int encrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx,
                   const uint8_t *plain, size_t plain_len, const uint8_t *nonce, size_t nonce_len,
                   const uint8_t *aad, size_t aad_len) {
    (void)aead, (void)ctx, (void)aad, (void)aad_len;
    if (plain_len > 0)
        memmove(dest, plain, plain_len);
    memset(dest + plain_len, 0, TAG_BYTES);
    memcpy(dest + plain_len, nonce, nonce_len);
    return 0;
}

static int decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx,
                   const uint8_t *sealed, size_t sealed_len, const uint8_t *nonce, size_t nonce_len,
                   const uint8_t *aad, size_t aad_len) {
    (void)aead, (void)ctx, (void)aad, (void)aad_len;
    if (sealed_len < TAG_BYTES || memcmp(sealed + sealed_len - TAG_BYTES, nonce, nonce_len) != 0)
        return NGTCP2_ERR_DECRYPT;
    memmove(dest, sealed, sealed_len - TAG_BYTES);
    return 0;
}

static int hp_mask(uint8_t *dest, const ngtcp2_crypto_cipher *hp,
                   const ngtcp2_crypto_cipher_ctx *ctx, const uint8_t *sample) {
    (void)hp, (void)ctx, (void)sample;
    memset(dest, 0, NGTCP2_HP_MASKLEN);
    return 0;
}

static void delete_aead(ngtcp2_conn *c, ngtcp2_crypto_aead_ctx *ctx, void *user) {
    (void)c, (void)ctx, (void)user;
}

static void delete_cipher(ngtcp2_conn *c, ngtcp2_crypto_cipher_ctx *ctx, void *user) {
    (void)c, (void)ctx, (void)user;
}

static int update_key(ngtcp2_conn *c, uint8_t *rx_secret, uint8_t *tx_secret,
                      ngtcp2_crypto_aead_ctx *rx, uint8_t *rx_iv, ngtcp2_crypto_aead_ctx *tx,
                      uint8_t *tx_iv, const uint8_t *old_rx, const uint8_t *old_tx, size_t len,
                      void *user) {
    (void)c, (void)old_rx, (void)old_tx, (void)user;
    memset(rx_secret, 0, len);
    memset(tx_secret, 0, len);
    memset(rx_iv, 0, IV_BYTES);
    memset(tx_iv, 0, IV_BYTES);
    *rx = *tx = no_aead;
    return 0;
}

/* ---- handshake ---- */

static int submit_params(ngtcp2_conn *c, ngtcp2_crypto_level level) {
    uint8_t buf[PARAMS_MAX_BYTES];
    const ngtcp2_ssize n = ngtcp2_conn_encode_local_transport_params(c, buf, sizeof buf);
    return n < 0 ? -1 : ngtcp2_conn_submit_crypto_data(c, level, buf, (size_t)n);
}

static int install_initial(ngtcp2_conn *c) {
    ngtcp2_conn_set_initial_crypto_ctx(c, &null_ctx);
    return ngtcp2_conn_install_initial_key(c, &no_aead, iv, &no_cipher, &no_aead, iv, &no_cipher,
                                           IV_BYTES);
}

static int install_handshake(ngtcp2_conn *c) {
    ngtcp2_conn_set_crypto_ctx(c, &null_ctx);
    if (ngtcp2_conn_install_rx_handshake_key(c, &no_aead, iv, IV_BYTES, &no_cipher))
        return -1;
    return ngtcp2_conn_install_tx_handshake_key(c, &no_aead, iv, IV_BYTES, &no_cipher);
}

static int install_rx(ngtcp2_conn *c) {
    return ngtcp2_conn_install_rx_key(c, secret, SECRET_BYTES, &no_aead, iv, IV_BYTES, &no_cipher);
}

static int install_tx(ngtcp2_conn *c) {
    return ngtcp2_conn_install_tx_key(c, secret, SECRET_BYTES, &no_aead, iv, IV_BYTES, &no_cipher);
}

static int client_initial(ngtcp2_conn *c, void *user) {
    (void)user;
    if (install_initial(c) || submit_params(c, NGTCP2_CRYPTO_LEVEL_INITIAL))
        return NGTCP2_ERR_CALLBACK_FAILURE;
    return 0;
}

static int recv_client_initial(ngtcp2_conn *c, const ngtcp2_cid *dcid, void *user) {
    (void)dcid, (void)user;
    return install_initial(c) ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

/* The server's flight: what stands for ServerHello, then its parameters under handshake keys. */
static int server_got(ngtcp2_conn *c, ngtcp2_crypto_level level, const uint8_t *data, size_t len) {
    static const uint8_t hello[] = "server hello";
    if (level == NGTCP2_CRYPTO_LEVEL_INITIAL)
        return ngtcp2_conn_decode_remote_transport_params(c, data, len) ||
               ngtcp2_conn_submit_crypto_data(c, level, hello, sizeof hello) ||
               install_handshake(c) || submit_params(c, NGTCP2_CRYPTO_LEVEL_HANDSHAKE) ||
               install_tx(c);
    if (install_rx(c))
        return -1;
    ngtcp2_conn_handshake_completed(c);
    return 0;
}

static int client_got(ngtcp2_conn *c, ngtcp2_crypto_level level, const uint8_t *data, size_t len) {
    static const uint8_t finished[] = "client finished";
    if (level == NGTCP2_CRYPTO_LEVEL_INITIAL)
        return install_handshake(c);
    if (ngtcp2_conn_decode_remote_transport_params(c, data, len) ||
        ngtcp2_conn_submit_crypto_data(c, level, finished, sizeof finished) || install_rx(c) ||
        install_tx(c))
        return -1;
    ngtcp2_conn_handshake_completed(c);
    return 0;
}

/* Each message fits into one CRYPTO frame, so each call is a whole message. */
static int recv_crypto_data(ngtcp2_conn *c, ngtcp2_crypto_level level, uint64_t offset,
                            const uint8_t *data, size_t len, void *user) {
    (void)offset, (void)user;
    const int err = ngtcp2_conn_is_server(c) ? server_got(c, level, data, len)
                                             : client_got(c, level, data, len);
    return err ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

static int recv_retry(ngtcp2_conn *c, const ngtcp2_pkt_hd *hd, void *user) {
    (void)c, (void)hd, (void)user;
    return NGTCP2_ERR_CALLBACK_FAILURE;
}

static int version_negotiation(ngtcp2_conn *c, uint32_t version, const ngtcp2_cid *dcid,
                               void *user) {
    (void)c, (void)version, (void)dcid, (void)user;
    return 0;
}

void null_tls_callbacks(ngtcp2_callbacks *c) {
    c->client_initial = client_initial;
    c->recv_client_initial = recv_client_initial;
    c->recv_crypto_data = recv_crypto_data;
    c->recv_retry = recv_retry;
    c->version_negotiation = version_negotiation;
    c->encrypt = encrypt;
    c->decrypt = decrypt;
    c->hp_mask = hp_mask;
    c->update_key = update_key;
    c->delete_crypto_aead_ctx = delete_aead;
    c->delete_crypto_cipher_ctx = delete_cipher;
}
