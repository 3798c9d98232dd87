#!/usr/bin/env bash
# Imports run one way: crypto <- net <- node <- sim; net/io and node/daemon are the edge; cli sees only the control client's codec and
# the pure helpers it shares with the daemon (DESIGN §3).
set -eu
cd "$1"
bad=0
# check DIR-GLOB ALLOWED-REGEX: every quoted include of these files matches.
check() {
    local files=$1 allowed=$2 hits
    hits=$(grep -nE '^#include "' $files | grep -vE "#include \"($allowed)" || true)
    if [ -n "$hits" ]; then
        printf 'imports against the direction:\n%s\n' "$hits"
        bad=1
    fi
    [ -n "$(grep -lE '^#include "' $files | head -1)" ] || { echo "nothing was checked in $files"; bad=1; }
}
check 'crypto/*.[ch]' 'crypto/'
check 'net/*.[ch]' 'crypto/|net/[a-z0-9_]*\.h'
check 'net/io/*.[ch]' 'crypto/|net/'
check 'node/*.[ch]' 'crypto/|net/[a-z0-9_]*\.h|node/[a-z0-9_]*\.h'
check 'node/daemon/*.[ch]' 'crypto/|net/|node/'
check 'sim/*.[ch]' 'crypto/|net/[a-z0-9_]*\.h|node/[a-z0-9_]*\.h|sim/'
check 'cli/*.[ch]' 'cli/|crypto/err\.h|node/(control_proto|escape|utf8|paths)\.h'
# The sans-IO rooms include no header of the operating system, of libuv or of threads.
hits=$(grep -nE '#include <(uv|sys/|netinet/|arpa/|unistd|fcntl|pthread|threads|signal|time|poll|sqlite3)' \
    crypto/*.[ch] net/*.[ch] node/*.[ch] | grep -v 'sys/auxv.h' || true) # auxv: what the CPU can do, a constant
if [ -n "$hits" ]; then
    printf 'operating system in the sans-IO rooms:\n%s\n' "$hits"
    bad=1
fi
exit $bad
