#!/usr/bin/env bash
# The rule about other systems finds what it is there to find: each planted line is reported, and the harmless ones beside them are not.
set -eu
cd "$1"
rule=$PWD/tests/rules/systems.sh
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failed=0
try() { # FILE LINE reported|quiet
    rm -rf "${copy:?}"/*
    mkdir -p "$copy"/{crypto,net,node,cli,sim} "$copy/$(dirname "$1")"
    printf '/* x */\n%s\n' "$2" >"$copy/$1"
    local said=quiet
    bash "$rule" "$copy" >"$copy/out" 2>&1 || said=reported
    [ $said = quiet ] || grep -qF "$1:2: " "$copy/out" || said='reported elsewhere'
    [ "$said" = "$3" ] || { echo "FAILED: $said: $2 in $1"; failed=1; }
}
try node/daemon/x.c '#ifdef __linux__' reported
try crypto/noise/x.h '#if defined(_WIN32) || defined(__APPLE__)' reported
try net/os/posix/x.c '#ifdef __linux__' quiet
try net/io/x.c '#ifdef __linux__' quiet
try node/x.c '/* __linux__ */' quiet
try cli/kit/x.h '    int fd;' reported
try node/daemon/x.h 'int x_open(int *dir_fd, const char *path);' reported
try node/daemon/x.h '    mode_t umask;' reported
try node/daemon/disk/x.h 'int x_write(const struct iovec *iov);' reported
try node/daemon/x.c '    int fd = -1;' quiet
try net/os/x.h '    int fd;' quiet
try cli/x.c '    const char *interface = NULL;' reported
try net/x.c '    bool near = true;' reported
try net/x.c '    say("near and far"); /* small */' quiet
try sim/x.c '    memcpy(&v, p, sizeof(uint32_t));' reported
try sim/x.c '    treehash_update(&h, &header, sizeof header);' reported
try sim/x.c '    treehash_update(&h, header, sizeof header);' quiet
exit $failed
