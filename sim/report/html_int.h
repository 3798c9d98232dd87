/* html_int.h: private to html.c (the page), html_figures.c (its drawings) and html_write.c (text
 * and numbers). */
#ifndef MESHD_SIM_REPORT_HTML_INT_H
#define MESHD_SIM_REPORT_HTML_INT_H

#include <stdio.h>

#include "sim/report/html.h"

/* Text between tags or in an attribute, escaped. */
void html_text(FILE *out, const char *text);
/* 1234567 -> "1.235 M" and the like. */
void html_number(char out[static 32], double v);
/* 0.03831 -> "38.31 ms" */
void html_seconds(char out[static 32], double v);

void html_cdfs(FILE *out, struct metrics *m);
void html_traffic(FILE *out, const struct series *s);
void html_drops(FILE *out, const struct series *s);
void html_topology(FILE *out, const struct sim *sim, const struct series *s);
void html_matrix(FILE *out, const struct sim *sim);
void html_timeline(FILE *out, const struct series *s);

#endif
