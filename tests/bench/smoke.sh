#!/usr/bin/env bash
# smoke.sh BUILD: the harness runs, its JSON is JSON, and it leaves nothing behind, also when it is interrupted. The figures mean nothing.
set -u
[ "$(id -u)" = 0 ] || { echo "skipped: needs root for network namespaces"; exit 77; }
command -v python3 ip >/dev/null && [ -e /dev/net/tun ] || { echo "skipped: needs python3, ip and /dev/net/tun"; exit 77; }
nm "$1/meshd" 2>/dev/null | grep -q __asan_init && { echo "skipped: not in a sanitizer build"; exit 77; }
run=$(dirname "$0")/run DIR=$(mktemp -d) FAILED=0
trap 'rm -rf "$DIR"' EXIT
left() { # PID of the run: what it must not leave
    ls -A "$DIR/work"
    ip netns list | grep "^mb$1-"
}
check() {
    mkdir -p "$DIR/work"
    python3 "$run" "$@" --build "$BUILD" --dir "$DIR/work" --json "$DIR/json" >"$DIR/out" 2>&1 &
    local pid=$!
    [ -z "${STOP_AFTER:-}" ] || { sleep "$STOP_AFTER"; kill "$pid"; }
    wait $pid
    rc=$?
    [ "$rc" = "${EXPECT:-0}" ] || { echo "FAILED: run $* ended with $rc"; cat "$DIR/out"; FAILED=1; }
    [ -n "${STOP_AFTER:-}" ] || python3 -m json.tool "$DIR/json" >/dev/null || { echo "FAILED: JSON of run $*"; FAILED=1; }
    [ -z "$(left $pid)" ] || { echo "FAILED: run $* left $(left $pid)"; FAILED=1; }
}
BUILD=$1
check bulk --tools meshd --size 1000000 --rounds 1
check link --tools meshd --size 1000000 --rounds 1
check idle --seconds 1
STOP_AFTER=3 EXPECT=143 check link --tools meshd --size 100000000 --rounds 1
exit $FAILED
