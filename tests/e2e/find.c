/* find.c: HAYSTACK NEEDLE: exit 0 if the bytes of one file occur in the other, 1 if not, 2 on
 * trouble or an empty needle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *slurp(const char *path, size_t *len) {
    FILE *f = fopen(path, "rb");
    char *buf = NULL;
    *len = 0;
    if (!f || fseek(f, 0, SEEK_END))
        exit(2);
    long size = ftell(f);
    rewind(f);
    buf = malloc((size_t)size + 1);
    if (!buf || fread(buf, 1, (size_t)size, f) != (size_t)size)
        exit(2);
    fclose(f);
    *len = (size_t)size;
    return buf;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    size_t n, m;
    char *hay = slurp(argv[1], &n), *needle = slurp(argv[2], &m);
    int rc = m == 0 ? 2 : memmem(hay, n, needle, m) ? 0 : 1;
    free(hay);
    free(needle);
    return rc;
}
