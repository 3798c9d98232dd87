/* relay_client_int.h: what relay_client.c (what the user wants, what is said) and relay_client_in.c
 * (what relays say) share. */
#ifndef MESHD_NET_RELAY_RELAY_CLIENT_INT_H
#define MESHD_NET_RELAY_RELAY_CLIENT_INT_H

#include "net/relay/relay_asks.h"

struct relay_client {
    struct relay_held t;
};

#endif
