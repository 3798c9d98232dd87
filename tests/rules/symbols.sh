#!/usr/bin/env bash
# The sans-IO archives (arguments) must not need a socket, a clock, libuv, a thread, a file or the system's randomness, and must hold
# no writable global (docs/ARCHITECTURE.md, the one seam).
set -eu
bad=0
deny='^(socket|bind|connect|accept4?|send(to|msg|mmsg)?|recv(from|msg|mmsg)?|select|poll|epoll_.*|uv_.*|clock_.*|gettimeofday|time|localtime.*|nanosleep|usleep|sleep|getrandom|getentropy|rand(om)?|s?rand48|arc4random.*|randombytes.*|pthread_.*|thrd_.*|mtx_.*|open(at)?(64)?|fopen(64)?|fread|fwrite|read|write|pread.*|pwrite.*|unlink.*|rename.*|getenv|secure_getenv|setenv|system|fork|exec.*|sqlite3_.*)$'
for archive in "$@"; do
    undefined=$(nm -u "$archive" | awk '/^[^ ]*\.o:$/ {object = $1} NF == 2 && $1 == "U" {sub(/@.*/, "", $2); print object, $2}')
    [ -n "$undefined" ] || { echo "$archive: nm shows no symbol at all"; bad=1; }
    hits=$(awk -v deny="$deny" '$2 ~ deny' <<<"$undefined")
    [ -z "$hits" ] || { printf '%s, which is sans-IO, needs of the system\n%s\n' "$archive" "$hits"; bad=1; }
    # Memory comes from crypto/base/mem.h, so that a program may bring its own (its mem_libc.c is the C library's).
    hits=$(nm -u "$archive" | awk '/^[^ ]*\.o:$/ {object = $1} NF == 2 && $2 ~ /^(malloc|calloc|realloc|aligned_alloc|free|strn?dup|asprintf)(@.*)?$/ &&
        object !~ /^mem_libc\./ {print object $2}')
    [ -z "$hits" ] || { echo "$archive takes memory past crypto/base/mem.h: $(echo $hits)"; bad=1; }
    # Constant tables of pointers stand in .data.rel.ro: written by the loader only.
    globals=$(nm -f sysv "$archive" | awk -F'|' '$7 ~ /^\.(data|bss|data\.rel|data\.rel\.local)[ ]*$/ {print $1}' |
        grep -vE '^[ ]*(__|\.L|_ZN|DW\.ref|completed)' | grep -viE 'asan|ubsan' || true)
    [ -z "$globals" ] || { echo "$archive has writable globals: $(echo $globals)"; bad=1; }
done
exit $bad
