#!/usr/bin/env bash
# What an eavesdropper records of a transfer and a message between two hosts contains neither node's key in any form, nor the file's
# name, nor its content. Needs root, namespaces and tcpdump.
[ "$(id -u)" = 0 ] && command -v tcpdump >/dev/null && ip netns list >/dev/null 2>&1 || { echo "skipped: needs root, ip netns and tcpdump"; exit 77; }
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../bench/veth.sh"
NS=mc$$
veth_up $NS || { veth_down $NS; echo "skipped: namespaces cannot be made here"; exit 77; }
EXTRA_CLEANUP="veth_down $NS"
run() { # NAME side
    mkdir -p -m 700 "$DIR/$1"
    ip netns exec "$NS$2" "$BUILD/meshd" --state "$DIR/$1" >"$DIR/$1.log" 2>&1 &
    PID[$1]=$!
    ctl "$1" wait --for ready --timeout 20s >/dev/null || FAILED=1
}
run a a
run b b
ip netns exec ${NS}a tcpdump --immediate-mode -Z root -i ${NS}va -U -s 0 -w "$DIR/pcap" >"$DIR/tcpdump.log" 2>&1 &
PID[tcpdump]=$!
for _ in $(seq 50); do grep -q listening "$DIR/tcpdump.log" && break; sleep 0.1; done
pair a b
name=CANARY-file-name
canary=CANARY-content-0123456789
mkdir "$DIR/out"
for _ in $(seq 1000); do echo $canary; done >"$DIR/$name"
ctl b recv --out "$DIR/out" --once >/dev/null 2>&1 &
check "transfer" ctl a send b "$DIR/$name"
check "message" ctl a msg b CANARY-message
sleep 0.5
stop tcpdump
size=$(stat -c %s "$DIR/pcap")
echo "captured $size bytes"
check "the capture has the transfer" test "$size" -gt 25000
# The harness itself must be able to find things: the address is there.
printf '\x0a\x4d\x00\x01' >"$DIR/address"
check "the search works" "$BUILD/tests/e2e_find" "$DIR/pcap" "$DIR/address"
absent() { # WHAT: standard input is not in the capture, as it is
    local what=$1 needle=$DIR/needle
    cat >"$needle"
    if "$BUILD/tests/e2e_find" "$DIR/pcap" "$needle"; then
        echo "FAILED: the capture contains $what"
        FAILED=1
    fi
}
for who in a b; do
    id=$(ctl $who id)
    for form in "$id" "${id#mesh1}" "$(printf %s "$id" | cut -c6-40)"; do printf %s "$form" | absent "$who's id as text"; done
    for key in id transport; do
        "$BUILD/tests/e2e_keys" "$DIR/$who/identity" $key >"$DIR/key" || FAILED=1
        absent "$who's $key key, raw" <"$DIR/key"
        od -An -tx1 "$DIR/key" | tr -d ' \n' | absent "$who's $key key, hex"
        od -An -tx1 "$DIR/key" | tr -d ' \n' | tr a-f A-F | absent "$who's $key key, upper-case hex"
        base64 -w0 "$DIR/key" | cut -c1-40 | tr -d '\n' | absent "$who's $key key, base64"
    done
done
printf %s "$name" | absent "the file's name"
printf %s "$canary" | absent "the file's content"
printf CANARY-message | absent "the message"
exit $FAILED
