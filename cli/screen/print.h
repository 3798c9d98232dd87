/* print.h: what meshctl shows: sizes, durations, texts. Whatever may come from a peer goes through
 * print_text, print_prose or a table (cli/screen/table.h) on the terminal, or json_text
 * (cli/screen/json.h).
 */
#ifndef MESHD_CLI_SCREEN_PRINT_H
#define MESHD_CLI_SCREEN_PRINT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "node/api/rpc/control_proto.h"

enum { PRINT_NUMBER_MAX = 48 };

/* "0 B", "999 B", "1.50 kB", "12.3 MB": decimal units, three digits. */
void print_size(char out[static PRINT_NUMBER_MAX], uint64_t bytes);
/* "850 us", "12.3 ms", "4.50 s", "3 min 20 s", "2 h 5 min", "3 d 4 h" */
void print_duration(char out[static PRINT_NUMBER_MAX], uint64_t us);
/* "118 MB/s"; "-" if us is 0. */
void print_rate(char out[static PRINT_NUMBER_MAX], uint64_t bytes, uint64_t us);
/* "2026-11-21 14:05:09", local time. */
void print_time(char out[static PRINT_NUMBER_MAX], uint64_t wall_us);
/* Escaped, on one line. */
void print_text(FILE *f, const char *s, size_t len);
/* What `head` writes about `o`, and a message behind it: its lines as lines (node/api/prose), each
 * but the first indented by four blanks, and on a terminal none longer than that
 * (cli/screen/wrap). */
void print_prose(FILE *f, void (*head)(FILE *f, const msgpack_object *o), const msgpack_object *o,
                 const char *s, size_t len);
/* As print_text into a heap string (free it; never NULL: dies without memory). */
char *print_escaped(const char *s, size_t len);
/* So many bytes; dies without memory. */
void *print_alloc(size_t size);
/* p; dies if that is NULL. */
void *print_or_die(void *p);

#endif
