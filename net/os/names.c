#include "net/os/names.h"

#include <string.h>

bool os_name_ok_posix(const char *name, size_t len) {
    const bool dots = (len == 1 && name[0] == '.') || (len == 2 && memcmp(name, "..", 2) == 0);
    return len > 0 && !dots && !memchr(name, '/', len) && !memchr(name, '\0', len);
}

/* The locale's idea of letters is none of a file name's business. */
static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_word(const char *name, size_t len, const char *word) {
    size_t i = 0;
    while (i < len && word[i] && upper(name[i]) == word[i])
        i++;
    return i == len && word[i] == '\0';
}

/* 0..9, or U+00B9, U+00B2, U+00B3 in UTF-8, which count as 1, 2, 3. */
static bool is_port_digit(const char *s, size_t len) {
    if (len == 1)
        return s[0] >= '0' && s[0] <= '9';
    return len == 2 && (s[0] & 0xff) == 0xc2 &&
           ((s[1] & 0xff) == 0xb9 || (s[1] & 0xff) == 0xb2 || (s[1] & 0xff) == 0xb3);
}

/* What stands before the first dot, without the spaces at its end, is what Windows looks at. */
static bool is_device(const char *name, size_t len) {
    static const char *const devices[] = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"};
    const char *dot = memchr(name, '.', len);
    size_t n = dot ? (size_t)(dot - name) : len;
    while (n > 0 && name[n - 1] == ' ')
        n--;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (is_word(name, n, devices[i]))
            return true;
    return n > 3 && (is_word(name, 3, "COM") || is_word(name, 3, "LPT")) &&
           is_port_digit(name + 3, n - 3);
}

bool os_name_ok_windows(const char *name, size_t len) {
    static const char never[] = "\\:*?\"<>|";
    if (!os_name_ok_posix(name, len) || is_device(name, len))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((name[i] & 0xff) < 0x20 || memchr(never, name[i], sizeof never - 1))
            return false;
    return name[len - 1] != ' ' && name[len - 1] != '.';
}
