/* names.h: which file names a system can hold. A name comes from a peer, and what is impossible is
 * the receiver's to say: "a:b" is a file on Linux and a stream of the file "a" on Windows, "NUL" is
 * a device there, and what ends in a dot would lose it. Pure; for one component, checked for its
 * bytes (UTF-8 or not) elsewhere.
 */
#ifndef MESHD_NET_OS_NAMES_H
#define MESHD_NET_OS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* The rules of POSIX: not empty, not "." or "..", no '/', no NUL. */
bool os_name_ok_posix(const char *name, size_t len);
/* Those of Windows besides: none of \ : * ? " < > | nor a control character, no device (CON, PRN,
 * AUX, NUL, CONIN$, CONOUT$, COM0..9, LPT0..9, in any case, with whatever after a dot; the digits
 * also as superscript 1, 2, 3), no space or dot at the end. */
bool os_name_ok_windows(const char *name, size_t len);
/* The system's we run on. */
bool os_name_ok(const char *name, size_t len);

#endif
