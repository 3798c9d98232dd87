/* Anything as meshd.conf: an error has a line, a sentence fit to be shown and leaves the settings
 * alone; what is taken is written and read again. */
#include <assert.h>
#include <string.h>

#include "node/api/utf8.h"
#include "node/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct config c, before;
    struct config_error e;
    char out[CONFIG_OUT_MAX];
    config_init(&c);
    before = c;
    if (config_parse(&c, (const char *)data, size, &e) != 0) {
        assert((e.line > 0 || size > CONFIG_TEXT_MAX) && e.text[0]);
        assert(utf8_valid(e.text, strlen(e.text)) && !strchr(e.text, '\x1b'));
        assert(memcmp(&c, &before, sizeof c) == 0);
        return 0;
    }
    config_write(&c, out);
    before.network[0] = '\0';
    int err = config_parse(&before, out, strlen(out), &e);
    assert(err == 0 && before.listen_count == c.listen_count &&
           before.quota_bytes == c.quota_bytes);
    return 0;
}
