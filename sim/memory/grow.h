/* grow.h: an array of the simulator grows, or the program ends: a simulated world has no answer to
 * a machine without memory. (What belongs to a node asks crypto/base/mem.h itself, and may hear
 * no.)
 */
#ifndef MESHD_SIM_MEMORY_GROW_H
#define MESHD_SIM_MEMORY_GROW_H

#include <stddef.h>
#include <stdint.h>

/* mem_grow without a limit; aborts when out of memory. */
void grow(void *list, uint32_t *cap, size_t need, size_t item_bytes);

#endif
