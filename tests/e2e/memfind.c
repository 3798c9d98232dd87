/* memfind.c: PID FILE: how often the writable memory of a process holds the bytes of FILE. Needs
 * root. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long count(FILE *mem, unsigned long long from, unsigned long long to,
                           const char *needle, size_t len) {
    static char buf[1 << 20];
    unsigned long n = 0;
    while (from + len <= to) {
        size_t want = to - from < sizeof buf ? (size_t)(to - from) : sizeof buf;
        if (fseeko(mem, (off_t)from, SEEK_SET) != 0)
            return n;
        size_t got = fread(buf, 1, want, mem);
        if (got < len)
            return n;
        const char *p = buf;
        while ((p = memmem(p, (size_t)(buf + got - p), needle, len)) != NULL) {
            n++;
            p++;
        }
        from += got - len + 1; /* one that lies over the edge is found with the next piece */
    }
    return n;
}

int main(int argc, char **argv) {
    char path[64], line[512], needle[4096], mode[8];
    unsigned long long from, to;
    unsigned long n = 0;
    if (argc != 3)
        return 2;
    FILE *f = fopen(argv[2], "rb");
    size_t len = f ? fread(needle, 1, sizeof needle, f) : 0;
    snprintf(path, sizeof path, "/proc/%s/maps", argv[1]);
    FILE *maps = fopen(path, "r");
    snprintf(path, sizeof path, "/proc/%s/mem", argv[1]);
    FILE *mem = fopen(path, "rb");
    if (len == 0 || !maps || !mem)
        return 2;
    setvbuf(mem, NULL, _IONBF, 0);
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%llx-%llx %7s", &from, &to, mode) == 3 && mode[0] == 'r' &&
            mode[1] == 'w' && to - from < 1ULL << 30)
            n += count(mem, from, to, needle, len);
    printf("%lu\n", n);
    return 0;
}
