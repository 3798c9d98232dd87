#!/usr/bin/env bash
# Imports run one way: crypto <- net <- node <- sim; net/io and node/daemon are the edge; cli sees only the control client's codec and
# the pure helpers it shares with the daemon (DESIGN §3). Every source below a room is held to the room's rule, however deep it lies.
set -eu
cd "$1"
bad=0
include='^[[:space:]]*#[[:space:]]*include[[:space:]]*'
# sources ROOM [EXCEPT-FOLDER]: the files below it.
sources() { find "$1" ${2:+-path "$2" -prune -o} -name '*.[ch]' -type f -print; }
# check ROOM EXCEPT-FOLDER ALLOWED [FORBIDDEN]: every include of our own, in quotes or brackets, is allowed and not forbidden.
check() {
    local room=$1 except=$2 allowed=$3 forbidden=${4:-^$} files hits
    files=$(sources "$room" "$except")
    [ -n "$files" ] && grep -qE "$include\"" $files || { echo "nothing was checked in $room"; bad=1; return; }
    hits=$(grep -nHE "$include(\"|<(\.|crypto/|net/(io/|[a-z0-9_]+\.h)|node/|sim/|cli/|tests/))" $files | grep -vE "include[[:space:]]*\"($allowed)" || true)
    hits+=$(grep -nHE "$include\"($forbidden)|$include\"[^\"]*\.\./" $files || true)
    if [ -n "$hits" ]; then
        printf 'imports against the direction:\n%s\n' "$hits"
        bad=1
    fi
}
check crypto '' 'crypto/'
check net net/io 'crypto/|net/' 'net/io/'
check net/io '' 'crypto/|net/'
check node node/daemon 'crypto/|net/|node/' 'net/io/|node/daemon/'
check node/daemon '' 'crypto/|net/|node/'
check sim '' 'crypto/|net/|node/|sim/' 'net/io/|node/daemon/'
check cli '' 'cli/|crypto/err\.h|node/(control_proto|escape|prose|quote|cause|utf8|paths)\.h'
# No source outside the rooms that the rules know.
others=$(find . -name '*.[ch]' -type f -not -path './build/*' -not -path './.git/*' |
    grep -vE '^\./(crypto|net|node|sim|cli|tests)/' || true)
[ -z "$others" ] || { printf 'sources in no room:\n%s\n' "$others"; bad=1; }
# The sans-IO rooms include no header of the operating system, of libuv or of threads.
hits=$({ sources crypto; sources net net/io; sources node node/daemon; } |
    xargs grep -nHE "$include[<\"](uv|sys/|netinet/|arpa/|netdb|unistd|fcntl|dirent|pthread|threads|signal|time|poll|sqlite3|linux/)" |
    grep -v 'sys/auxv.h' || true) # auxv: what the CPU can do, a constant
if [ -n "$hits" ]; then
    printf 'operating system in the sans-IO rooms:\n%s\n' "$hits"
    bad=1
fi
exit $bad
