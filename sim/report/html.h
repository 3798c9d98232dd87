/* html.h: a run as one page that needs nothing else: no script, no request; drawings are SVG. */
#ifndef MESHD_SIM_REPORT_HTML_H
#define MESHD_SIM_REPORT_HTML_H

#include "sim/report/series.h"
#include "sim/run/run.h"

/* False: the file could not be written. */
bool html_write(const char *path, const struct scenario *sc, const char *file, struct run *r,
                const struct series *s);

#endif
