#!/usr/bin/env bash
# portable.sh SOURCE BUILD: no source of a build with MESHD_EDGE=portable needs a header that Linux alone has. What a compiler has read
# for each (its dependency files) is compared with what POSIX's and libuv's own headers bring along here, which name some of the kernel's. Tests may.
set -eu
cd "$1"
build=$2
[ -f "$build/build.ninja" ] || { echo "skipped: $build is not built by ninja, which keeps what was read"; exit 77; }
posix='aio arpa/inet ctype dirent errno fcntl float inttypes limits locale math net/if netdb netinet/in netinet/tcp poll pthread signal
    stdatomic stdio stdlib string strings sys/ioctl sys/mman sys/resource sys/select sys/socket sys/stat sys/statvfs sys/time sys/types
    sys/uio sys/un sys/wait termios time unistd wchar'
known=$(mktemp)
trap 'rm -f "$known"' EXIT
for h in $posix uv; do echo "#include <$h.h>"; done |
    "${CC:-cc}" -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -x c -M - | tr ' ' '\n' | grep '^/' | sort -u >"$known"
listing=$(ninja -C "$build" -t deps)
grep -q 'net/os/' <<<"$listing" || { echo "$build: the dependencies say nothing of net/os; it is not built"; exit 1; }
printf '%s\n' "$listing" | awk -v known="$known" -v top="$PWD/" '
    BEGIN { while ((getline line < known) > 0) posix[line] = 1 }
    /^[^ ]/ { object = $1; ours = object !~ /^tests\// && object !~ /-mutant\.dir|-planted\.dir/; next }
    ours && $1 ~ /^\// && index($1, top) != 1 && !($1 in posix) &&
        $1 ~ /\/(linux|asm|asm-generic)\/|\/sys\/(auxv|epoll|eventfd|fanotify|fsuid|inotify|mount|prctl|random|reboot|sendfile|signalfd|swap|sysinfo|syscall|sysmacros|timerfd|timex|xattr)\.h$|\/netpacket\/|\/net\/ethernet\.h$/ {
        sub(/\.o:?$/, "", object); print object ": reads " $1 "   rule: the portable build needs no header of Linux"; bad = 1 }
    END { exit bad }'
