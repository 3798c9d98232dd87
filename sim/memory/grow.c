#include "sim/memory/grow.h"

#include <stdlib.h>

#include "crypto/base/mem.h"

void grow(void *list, uint32_t *cap, size_t need, size_t item_bytes) {
    if (!mem_grow(list, cap, need, item_bytes, UINT32_MAX))
        abort();
}
