/* support_relay_addr.h: relays to be named in tests. */
#ifndef MESHD_TESTS_SUPPORT_RELAY_ADDR_H
#define MESHD_TESTS_SUPPORT_RELAY_ADDR_H

#include <stdint.h>

#include "node/base/relay_addr.h"

/* At a place, HOST:PORT; every byte of its id is the one given. Fails if that is no relay. */
struct relay_addr relay(const char *place, uint8_t id);

#endif
