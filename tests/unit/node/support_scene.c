/* Two nodes, their control APIs and three clients, set up and taken down. */
#include "support_scene.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct scene *scene_open(bool paired, uint64_t seed) {
    struct scene *s = calloc(1, sizeof *s);
    assert(s);
    s->w = world_new(2, seed);
    s->c = talk_serve(s->w, 0);
    s->c1 = talk_serve(s->w, 1);
    talk_open(&s->a, s->w, 0, s->c);
    talk_open(&s->b, s->w, 0, s->c);
    talk_open(&s->peer, s->w, 1, s->c1);
    if (paired)
        world_pair(s->w, 0, 1);
    return s;
}

void scene_close(struct scene *s) {
    talk_close(&s->a);
    talk_close(&s->b);
    talk_close(&s->peer);
    talk_unserve(s->w, 0, s->c);
    talk_unserve(s->w, 1, s->c1);
    world_free(s->w);
    free(s);
}

json_t *answer_of(struct talk *t, const char *method, const char *key, const char *value) {
    struct proto_writer *w = talk_ask(t, method);
    if (key)
        proto_str(w, key, value);
    return talk_result(t);
}

const char *text_of(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

void ends(struct talk *t, uint32_t id, const char *code, uint64_t us) {
    json_t *r = talk_answer(t, id, us);
    assert(r);
    if (code)
        assert(strcmp(text_of(json_array_get(r, 0), "code"), code) == 0);
    else
        assert(json_is_null(json_array_get(r, 0)));
    json_decref(r);
}
