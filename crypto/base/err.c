#include "crypto/base/err.h"

const char *err_name(int err) {
    switch (err) {
    case ERR_OK:
        return "ok";
#define X(sym, num, name, code, text)                                                              \
    case sym:                                                                                      \
        return name;
        ERR_LIST(X)
#undef X
    default:
        return "unknown";
    }
}

const char *err_text(int err) {
    switch (err) {
    case ERR_OK:
        return "all is well";
#define X(sym, num, name, code, text)                                                              \
    case sym:                                                                                      \
        return text;
        ERR_LIST(X)
#undef X
    default:
        return "an unknown error";
    }
}

int err_exit_code(int err) {
    switch (err) {
    case ERR_OK:
        return 0;
#define X(sym, num, name, code, text)                                                              \
    case sym:                                                                                      \
        return code;
        ERR_LIST(X)
#undef X
    default:
        return 1;
    }
}

int err_from_wire(unsigned long long num) {
    switch (num) {
    case 0:
        return ERR_OK;
#define X(sym, n, name, code, text)                                                                \
    case n:                                                                                        \
        return sym;
        ERR_LIST(X)
#undef X
    default:
        return ERR_FAILED;
    }
}
