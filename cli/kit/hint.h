/* hint.h: a command in a sentence, made one that can be copied as it is. Pure.
 */
#ifndef MESHD_CLI_KIT_HINT_H
#define MESHD_CLI_KIT_HINT_H

#include <stddef.h>

/* `text` into out[0..cap), "meshctl wait --for peer=NAME" in it with the contact's name, quoted for
 * a shell where it needs that; `name` NULL: nobody knows it here, or one that cannot be shown as it
 * is: "meshctl peers" takes the command's place. */
void hint_name(char *out, size_t cap, const char *text, const char *name);
/* `text` into out[0..cap), with `option` ("--state DIR") behind the "meshctl" of each command in it
 * that is to be typed here: without it the command would go to another daemon. */
void hint_daemon(char *out, size_t cap, const char *text, const char *option);

#endif
