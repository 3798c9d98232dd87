/* control_args.h: the arguments of a request against the method's table: an unknown, missing,
 * doubled or ill-typed argument is an error that names it, so that a misspelt option is never
 * silently ignored. After that the getters need no further checks.
 */
#ifndef MESHD_NODE_CONTROL_CALL_CONTROL_ARGS_H
#define MESHD_NODE_CONTROL_CALL_CONTROL_ARGS_H

#include "node/control/call/control_call.h"

/* Checks params against the method's table. ERR_USAGE with a sentence that names the culprit. */
int args_check(struct call *call, const msgpack_object *params) MUST_USE;
bool arg_given(const struct call *call, const char *name);
uint64_t arg_uint(const struct call *call, const char *name, uint64_t fallback);
bool arg_bool(const struct call *call, const char *name);
/* Copies a string of at most cap - 1 bytes (the table says so); "" if not given. True if given. */
bool arg_str(const struct call *call, const char *name, char *out, size_t cap);
const char *arg_text(const struct call *call, const char *name, size_t *len);
/* An array of NUL-terminated strings in one allocation (free it); NULL: no memory. */
char **arg_strs(const struct call *call, const char *name, unsigned *count);
/* now + the argument in us; UINT64_MAX if not given or 0. */
uint64_t arg_deadline(const struct call *call, const char *name);

#endif
