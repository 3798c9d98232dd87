/* script.h: which characters belong to writing that needs invisible ones beside it: joiners in
 * Persian and the scripts of India, selectors and joiners in emoji, marks where text runs from
 * right to left. Ranges of Unicode 15 blocks, generous within a block. Pure.
 */
#ifndef MESHD_NODE_API_SCRIPT_H
#define MESHD_NODE_API_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

/* Arabic and its kin, Mongolian, and the scripts of India and what came from them: U+200C and
 * U+200D choose the shape of a letter (UAX #31, 2.3). */
bool script_joins(uint32_t cp);
/* Thai, Lao, Tibetan, Myanmar, Khmer: written without blanks, U+200B tells where a line may
 * break. */
bool script_breaks(uint32_t cp);
/* A letter that makes its line run from right to left in part (UAX #9, R and AL). */
bool script_is_rtl(uint32_t cp);
/* An emoji, or a sign that is one with U+FE0F (UTS #51; by blocks), and a skin tone. */
bool script_is_emoji(uint32_t cp);
/* What a font draws as nothing though it is a letter or a sign by its class: a name with it would
 * look like one without. */
bool script_is_inkless(uint32_t cp);
/* Whether the variation selector `vs` can mean something behind `cp`. */
bool script_takes(uint32_t cp, uint32_t vs);

#endif
