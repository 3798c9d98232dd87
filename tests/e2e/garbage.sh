#!/usr/bin/env bash
# A million random datagrams at the port and random bytes at the control socket: the daemon lives, does not grow, and still works.
. "$(dirname "$0")/lib.sh"
COUNT=${GARBAGE_COUNT:-1000000}
start a
start b
pair a b
before=$(rss_kib b)
"$BUILD/tests/e2e_garbage" "$(cat "$DIR/b/port")" "$COUNT" "${MESH_SEED:-1}" || FAILED=1
seen=$(ctl b --json status | grep -oE '"pkts_in":[0-9]+' | cut -d: -f2)
echo "$seen of $COUNT datagrams were read"
check "most datagrams were read" test "$seen" -gt $((COUNT / 4))
# Bytes of any kind at the control socket: the connection is closed, the daemon is not.
for i in $(seq 20); do
    head -c 20000 /dev/urandom | timeout 5 "$BUILD/tests/e2e_unixcat" "$DIR/b/control.sock" >/dev/null 2>&1
done
check "b lives" alive b
check "b answers" ctl b status >/dev/null
mkdir "$DIR/out"
head -c 3000000 /dev/urandom >"$DIR/f"
ctl b recv --out "$DIR/out" --once >/dev/null 2>&1 &
check "a transfer works" ctl a send b "$DIR/f"
check "and is whole" cmp "$DIR/f" "$DIR/out/f"
after=$(rss_kib b)
echo "RSS $before -> $after KiB"
limit=8192
nm "$BUILD/meshd" 2>/dev/null | grep -q __asan_init && limit=200000 # its quarantine keeps what was freed
check "memory is flat" test $((after - before)) -lt $limit
exit $FAILED
