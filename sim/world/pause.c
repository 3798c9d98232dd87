#include "sim/world/pause.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"
#include "sim/world/duty.h"
#include "sim/world/inspect.h"
#include "sim/world/packet.h"
#include "sim/world/turn.h"

static void hold(struct host *h, const struct event *e) {
    grow(&h->held, &h->held_cap, h->held_count + 1, sizeof *h->held);
    h->held[h->held_count++] = *e;
}

bool pause_holds(struct host *h, const struct event *e) {
    if (h->state == HOST_RUNS)
        return false;
    struct packet *p = e->ref;
    switch ((enum event_kind)e->kind) {
    case EVENT_DELIVER:
        if (h->state == HOST_SUSPENDED)
            packet_drop(h->world, p, FATE_SUSPENDED);
        else if (h->held_bytes + p->len > WORLD_SOCKET_BYTES || h->held_count >= WORLD_HELD_MAX)
            packet_drop(h->world, p, FATE_BUFFER);
        else {
            h->held_bytes += p->len;
            hold(h, e);
        }
        return true;
    case EVENT_FILE:
    case EVENT_LOAD:
    case EVENT_HOSTILE:
    case EVENT_PIPE:
        hold(h, e);
        return true;
    case EVENT_WAKE:
        h->wake_ns = LEDGER_NEVER;
        return true;
    case EVENT_ARRIVE:
    case EVENT_LINE:
    case EVENT_ICMP: /* who does not run does not hear it (icmp.c) */
    case EVENT_UNCLOG:
    case EVENT_RESUME:
        break;
    }
    return false;
}

void pause_begin(struct host *h, enum host_state state, uint64_t for_ns) {
    struct world *w = h->world;
    const uint64_t end_ns = for_ns > 0 ? w->now_ns + for_ns : UINT64_MAX;
    const bool paused = h->state != HOST_RUNS;
    /* Whoever sleeps does not stall; whoever stalls may fall asleep. */
    if (!paused || (h->state == HOST_STALLED && state == HOST_SUSPENDED)) {
        h->state = state;
        h->stopped_ns = w->now_ns;
    }
    duty_trouble(w->duties, h, TROUBLE_PAUSED, true);
    if (paused && end_ns <= h->resume_ns)
        return; /* the later end counts */
    h->resume_ns = end_ns;
    h->pauses++;
    if (for_ns > 0)
        world_push(
            w, h,
            &(struct event){.time_ns = w->now_ns + for_ns, .kind = EVENT_RESUME, .tag = h->pauses});
}

void pause_end(struct host *h) {
    struct world *w = h->world;
    if (h->state == HOST_RUNS)
        return;
    const bool slept = h->state == HOST_SUSPENDED;
    inspect_resumed(w->inspection, h);
    h->state = HOST_RUNS;
    duty_trouble(w->duties, h, TROUBLE_PAUSED, false);
    if (slept)
        hclock_resume(&h->clock, h->stopped_ns, w->now_ns);
    /* In the order they came: they get new numbers, all for this moment. */
    for (uint32_t i = 0; i < h->held_count; i++) {
        h->held[i].time_ns = w->now_ns;
        world_push(w, h, &h->held[i]);
    }
    mem_free(h->held);
    h->held = NULL;
    h->held_count = h->held_cap = 0;
    h->held_bytes = 0;
    if (h->node && slept) {
        host_set_wall(h);
        host_network_changed(h);
    }
    if (h->node)
        turn_pump(h);
}
