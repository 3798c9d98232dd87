/* Anything as a relay's address, as text and as bytes: what is taken has one text and one form as
 * bytes, and both are read back; what is not, is given a reason. */
#include <assert.h>
#include <string.h>

#include "node/base/relay_addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void both_forms(const struct relay_addr *a) {
    char text[RELAY_ADDR_TEXT_MAX + 1];
    uint8_t raw[RELAY_ADDR_WIRE_MAX];
    struct relay_addr again;
    const char *wrong;
    relay_addr_text(a, text);
    int err = relay_addr_parse(&again, text, &wrong);
    assert(err == 0 && !wrong && relay_addr_equal(a, &again));
    size_t len = relay_addr_write(a, raw);
    assert(len > 0 && len == relay_addr_size(a));
    size_t used = relay_addr_read(&again, raw, len, &wrong);
    assert(used == len && !wrong && memcmp(a, &again, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char key[] = "#mesh1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqswqwm2a";
    char text[512];
    struct relay_addr a;
    const char *wrong;
    if (size < sizeof text - sizeof key) {
        memcpy(text, data, size);
        text[size] = '\0';
        if (relay_addr_parse(&a, text, &wrong) == 0)
            both_forms(&a);
        else
            assert(wrong && wrong[0]);
        memcpy(text + strlen(text), key, sizeof key);
        if (relay_addr_parse(&a, text, &wrong) == 0)
            both_forms(&a);
        else
            assert(wrong && wrong[0]);
    }
    size_t used = relay_addr_read(&a, data, size, &wrong);
    assert(used <= size && (used == 0) == (wrong != NULL));
    if (used > 0) {
        uint8_t raw[RELAY_ADDR_WIRE_MAX];
        assert(relay_addr_write(&a, raw) == used && memcmp(raw, data, used) == 0);
        both_forms(&a);
    }
    return 0;
}
