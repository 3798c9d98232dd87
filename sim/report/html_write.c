/* html_write.c: text and numbers as they stand in a page. */
#include "sim/report/html_int.h"

void html_text(FILE *out, const char *text) {
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '<')
            fputs("&lt;", out);
        else if (c == '>')
            fputs("&gt;", out);
        else if (c == '&')
            fputs("&amp;", out);
        else if (c == '"')
            fputs("&quot;", out);
        else if (c == '\'')
            fputs("&#39;", out);
        else if (c < 32 || c == 127)
            fputc('?', out);
        else
            fputc(c, out);
    }
}

struct step {
    double from;
    const char *sign;
};

static void in_steps(char out[static 32], double v, const struct step *steps) {
    while (steps->sign && v < steps->from)
        steps++;
    if (steps->sign)
        (void)snprintf(out, 32, "%.4g%s", v / steps->from, steps->sign);
    else
        (void)snprintf(out, 32, "%.3g", v);
}

void html_number(char out[static 32], double v) {
    static const struct step steps[] = {{1e9, " G"}, {1e6, " M"}, {1e3, " k"}, {1, ""}, {0, NULL}};
    in_steps(out, v, steps);
}

void html_seconds(char out[static 32], double v) {
    static const struct step steps[] = {
        {1, " s"}, {1e-3, " ms"}, {1e-6, " µs"}, {1e-9, " ns"}, {0, NULL}};
    in_steps(out, v, steps);
}
