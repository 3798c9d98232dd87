/* cmd.c: what several commands do. */
#include "sim/cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"

enum { FILE_MAX_BYTES = 16 << 20 };

char *cmd_read_file(const char *file) {
    FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "rb");
    char *text = f ? mem_alloc(FILE_MAX_BYTES + 1) : NULL;
    if (text) {
        const size_t len = fread(text, 1, FILE_MAX_BYTES, f);
        text[len] = '\0';
        if (ferror(f) || !feof(f) || strlen(text) != len) {
            mem_free(text);
            text = NULL;
        }
    }
    if (f && f != stdin)
        (void)fclose(f);
    if (!text)
        fprintf(stderr, "meshsim: %s cannot be read as a scenario\n", file);
    return text;
}

int cmd_complain(const char *file, const struct problem *p) {
    if (p->at.line == 0)
        fprintf(stderr, "%s: %s\n", file, p->text);
    else
        fprintf(stderr, "%s:%u:%u: %s\n", file, p->at.line, p->at.column, p->text);
    return EXIT_USAGE;
}

bool cmd_of_many(const struct options *o) {
    const char *only = o->html       ? "--html"
                       : o->pcap     ? "--pcap"
                       : o->twice    ? "--twice"
                       : o->baseline ? "--baseline"
                       : o->verbose  ? "-v"
                                     : NULL;
    if (only)
        fprintf(stderr, "meshsim: %s is for one run only\n", only);
    return only == NULL;
}
