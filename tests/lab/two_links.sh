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
lab_watch b any
lab_sending a b
path=$(peer_json a b path)
cut=$(date +%s.%N)
inside world nft -f - <<END
add rule ip lab forward ip daddr ${path%:*} drop
add rule ip lab forward ip saddr ${path%:*} drop
END
lab_still_sending
lab_sent
lab_gap b "$cut"
echo "from $path to $(peer_json a b path): data went on after $gap_ms ms (bound $BOUND_MS ms; the gap began $at_s s after the cut)"
check "within the bound" test "$gap_ms" -le $((BOUND_MS + SLACK_MS))
check "by the other link" test "$(peer_json a b path)" != "$path"
check "in the same session" test "$(peer_json a b age_us)" -gt $((age_us + 2000000))
exit $FAILED
