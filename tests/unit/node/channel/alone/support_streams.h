/* support_streams.h: the endpoint's streams as a room of node/ sees them, made up: what has come on
 * each is what the test says, and what the room does with it is kept. Sessions are told apart by
 * nobody.
 */
#ifndef MESHD_TEST_SUPPORT_STREAMS_H
#define MESHD_TEST_SUPPORT_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_STREAMS = 512, FAKE_BYTES = 2048 };

struct fake_stream {
    uint8_t in[FAKE_BYTES]; /* what has come and was not consumed, */
    size_t in_len;
    bool fin;                /* and ends then */
    uint8_t out[FAKE_BYTES]; /* what was written */
    size_t out_len;
    bool finished, let_go;
    int reset, stopped; /* with this error */
    uint64_t owner;
};

struct fake_stream *fake_stream(uint64_t id); /* id < FAKE_STREAMS */
void fake_come(uint64_t id, const void *bytes, size_t len);
uint64_t fake_opened(void); /* the stream that was opened last; UINT64_MAX: none */
void fake_clear(void);

#endif
