/* tty.h: what a stream leads to, if that is a terminal; and the standard streams themselves. */
#ifndef MESHD_NET_OS_TTY_H
#define MESHD_NET_OS_TTY_H

#include <stdbool.h>
#include <stdio.h>

bool tty_is(FILE *f);
/* And we are who it is for now: not in the background. */
bool tty_is_ours(FILE *f);
/* Its columns; 0: it is none, or does not say. */
unsigned tty_width(FILE *f);

/* Descriptors 0, 1 and 2 that are closed are taken: or what is opened next would get such a number,
 * and what is printed would go there. Reading and writing still fail, as they should. False: they
 * could not be. */
bool tty_keep_stdio(void);
/* Nothing can be written to it, since it was closed at the start. */
bool tty_stdout_is_closed(void);

#endif
