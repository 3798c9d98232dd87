#!/usr/bin/env bash
# A host with two links: the one that carries a transfer is cut, without a word of any router or interface. Data goes on by the other
# within max(3 RTT, 300 ms) and one RTT, in the same session. The figure is printed.
LAB_NEEDS=tcpdump LAB_WITHOUT_RELAYS=1
. "$(dirname "$0")/lab.sh"
DELAY_MS=10 # 40 ms from a to b and back
BOUND_MS=$((300 + 4 * DELAY_MS))
SLACK_MS=60 # a shared machine's own
lab_world
lab_host a 1 ${DELAY_MS}ms 40M
lab_host b 2 ${DELAY_MS}ms 40M
lab_link b 3 ${DELAY_MS}ms 40M
lab_node a a
lab_node b b
pair a b
sleep 1
age_us=$(peer_json a b age_us)
head -c 30000000 /dev/urandom >"$DIR/file"
mkdir "$DIR/out"
lab_watch b any
ctl b recv --out "$DIR/out" --once >/dev/null 2>&1 &
CTL_TIMEOUT=25 ctl a send b "$DIR/file" >"$DIR/send.log" 2>&1 &
sending=$!
sleep 1.5
path=$(peer_json a b path)
cut=$(date +%s.%N)
inside world nft -f - <<END
add rule ip lab forward ip daddr ${path%:*} drop
add rule ip lab forward ip saddr ${path%:*} drop
END
kill -0 $sending || { echo "FAILED: the transfer was over before the cut"; FAILED=1; }
check "the transfer ends well" wait $sending
check "and is whole" cmp "$DIR/file" "$DIR/out/file"
lab_gap b "$cut"
echo "from $path to $(peer_json a b path): data went on after $gap_ms ms (bound $BOUND_MS ms; the gap began $at_s s after the cut)"
check "within the bound" test "$gap_ms" -le $((BOUND_MS + SLACK_MS))
check "by the other link" test "$(peer_json a b path)" != "$path"
check "in the same session" test "$(peer_json a b age_us)" -gt $((age_us + 2000000))
exit $FAILED
