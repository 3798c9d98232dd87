/* support_scene.h: two nodes with control APIs: node 0 is driven by two clients, node 1 by one. */
#ifndef MESHD_TESTS_SUPPORT_SCENE_H
#define MESHD_TESTS_SUPPORT_SCENE_H

#include "support_talk.h"

struct scene {
    struct world *w;
    struct control *c, *c1;
    struct talk a, b, peer;
};

/* paired: node 0 calls the other one "n1", node 1 calls it "n0". */
struct scene *scene_open(bool paired, uint64_t seed);
void scene_close(struct scene *s);

/* The result of a request with one argument, or none (key NULL). Give it back. */
json_t *answer_of(struct talk *t, const char *method, const char *key, const char *value);
/* "" if there is none. */
const char *text_of(const json_t *o, const char *key);
/* The answer to `id` comes within `us` and is this error, or a result if NULL. */
void ends(struct talk *t, uint32_t id, const char *code, uint64_t us);

#endif
