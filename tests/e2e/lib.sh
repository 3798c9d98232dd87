# lib.sh: real meshd and meshctl processes on loopback. Sourced with the build directory as $1. Everything lives in one temporary
# directory; what was started is ended by process id, and the directory removed, however the test ends.
set -u
BUILD=$(cd "$1" && pwd)
# A build without what Linux alone has.
is_portable() { grep -q '^MESHD_EDGE:[A-Z]*=portable' "$BUILD/CMakeCache.txt" 2>/dev/null; }
DIR=$(mktemp -d)
declare -A PID
FAILED=0
cleanup() {
    for who in "${!PID[@]}"; do kill "${PID[$who]}" 2>/dev/null; done
    for who in "${!PID[@]}"; do wait "${PID[$who]}" 2>/dev/null; done
    [ "$FAILED" = 0 ] || tail -n 20 "$DIR"/*.log 2>/dev/null
    [ -z "${EXTRA_CLEANUP:-}" ] || $EXTRA_CLEANUP
    rm -rf "$DIR"
}
trap 'rc=$?; cleanup; exit $rc' EXIT
trap 'exit 130' INT TERM

# start NAME [meshd options]: a node with its state in $DIR/NAME; started again, it has the port it had.
start() {
    local who=$1
    shift
    mkdir -p -m 700 "$DIR/$who"
    local port=0
    [ ! -f "$DIR/$who/port" ] || port=$(cat "$DIR/$who/port")
    "$BUILD/meshd" --state "$DIR/$who" --listen "127.0.0.1:$port" "$@" >>"$DIR/$who.log" 2>&1 &
    PID[$who]=$!
    ctl "$who" wait --for ready --timeout 20s >/dev/null || { echo "$who did not start"; FAILED=1; exit 1; }
    ctl "$who" --json status | grep -oE '127\.0\.0\.1:[0-9]+' | head -1 | cut -d: -f2 >"$DIR/$who/port"
}
stop() { # NAME [signal]
    kill "-${2:-TERM}" "${PID[$1]}"
    wait "${PID[$1]}" 2>/dev/null
    unset "PID[$1]"
}
ctl() { # NAME command...
    local who=$1
    shift
    timeout "${CTL_TIMEOUT:-60}" "$BUILD/meshctl" --socket "$DIR/$who/control.sock" "$@"
}
pair() { # A B: A holds B's ticket
    ctl "$2" ticket --name "$1" | ctl "$1" contact add "$2" - >/dev/null && ctl "$1" wait --for "peer=$2" --timeout 20s >/dev/null ||
        { echo "$1 and $2 did not pair"; FAILED=1; exit 1; }
}
# expect CODE WORD command...: it ends with this exit code and says WORD (a regular expression) on standard error.
expect() {
    local code=$1 word=$2 rc err
    shift 2
    err=$("$@" 2>&1 >/dev/null)
    rc=$?
    if [ "$rc" != "$code" ] || ! grep -qiE -- "$word" <<<"$err"; then
        echo "FAILED: $* gave $rc (expected $code) and said: $err"
        FAILED=1
    fi
}
# check WHAT command...
check() {
    local what=$1
    shift
    "$@" || { echo "FAILED: $what"; FAILED=1; }
}
alive() { kill -0 "${PID[$1]}"; }
rss_kib() { awk '/VmRSS/ {print $2}' "/proc/${PID[$1]}/status"; }
