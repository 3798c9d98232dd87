#!/usr/bin/env bash
# Nothing that local clients ask holds the daemon's loop for more than 5 ms. The daemon measures itself (longest_turn_us in its status), in
# processor time, since real time includes whatever else this machine does.
export MESHD_DEBUG_TURNS=1
. "$(dirname "$0")/lib.sh"
nm "$BUILD/meshd" 2>/dev/null | grep -q __asan_init && { echo "skipped: not in a sanitizer build"; exit 77; }
requests() { for _ in $(seq "$1"); do printf "$2"; done; }
requests 60 '\x94\x00\x01\xa6status\x80' >"$DIR/status"
requests 60 '\x94\x00\x01\xaccontact.list\x80' >"$DIR/contacts"
requests 3 '\x94\x00\x01\xacmessage.list\x80' >"$DIR/messages"
requests 60 '\x94\x00\x01\xadtransfer.list\x80' >"$DIR/transfers"
mkdir "$DIR/files"
(cd "$DIR/files" && seq 2000 | xargs touch)
start a
start b
pair a b
head -c 60000 /dev/zero | tr '\0' x >"$DIR/long"
for _ in 1 2 3 4; do ctl a msg b - <"$DIR/long" >/dev/null; done
clients=()
for what in status contacts messages transfers status contacts messages transfers; do
    (for _ in 1 2 3 4; do "$BUILD/tests/e2e_unixcat" "$DIR/a/control.sock" <"$DIR/$what" | head -c 1000000 >/dev/null; done) &
    clients+=($!)
done
ctl a send b "$DIR"/files/* --timeout 1s >/dev/null 2>&1
wait "${clients[@]}"
took=$(ctl a --json status | grep -oE '"longest_turn_us":[0-9]+' | cut -d: -f2)
echo "longest turn: $took us"
check "the longest turn took $took us" test "$took" -lt 5000
exit $FAILED
