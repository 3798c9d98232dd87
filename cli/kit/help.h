/* help.h: texts for people, laid out for the width of their terminal. */
#ifndef MESHD_CLI_KIT_HELP_H
#define MESHD_CLI_KIT_HELP_H

#include <stdio.h>

#include "cli/kit/app.h"

enum { HELP_COLUMNS = 79, HELP_COLUMNS_MIN = 20 };

/* Each line of `text` is a paragraph and is broken at blanks, not within [brackets], to take
 * `columns` at most. Of one
 * like "  --name NAME  what it means" the second part is a column of its own; other paragraphs go
 *         on under their first
 * word, those that begin with "usage: meshctl" under what follows that. */
void help_put(FILE *f, const char *text, unsigned columns);
/* What this file's terminal has room for; HELP_COLUMNS at most and where there is none. */
unsigned help_columns(FILE *f);
/* `meshctl --help` and `meshctl VERB --help`. */
void help_all(FILE *f, const struct verb *verbs, int count);
void help_verb(FILE *f, const struct verb *v);

#endif
