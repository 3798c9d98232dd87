#!/usr/bin/env bash
# The direct path is cut in the middle of a transfer, a relay stands by: data goes on within max(3 RTT, 300 ms) and one RTT, in the
# same session, and what arrives is whole. The figure is printed.
LAB_NEEDS=tcpdump
. "$(dirname "$0")/lab.sh"
DELAY_MS=10 # 40 ms from a to b and back
BOUND_MS=$((300 + 4 * DELAY_MS))
SLACK_MS=60 # a shared machine's own
lab_world
lab_relay r 9
lab_host a 1 ${DELAY_MS}ms 40M
lab_host b 2 ${DELAY_MS}ms 40M
lab_node a a --relay "$RELAY_r"
lab_node b b --relay "$RELAY_r"
pair a b
lab_count directly ip saddr 198.18.1.2 ip daddr 198.18.2.2
lab_count by_relay ip saddr 198.18.1.2 ip daddr 198.18.9.2
head -c 3000000 /dev/urandom >"$DIR/first" # ways are compared while something is sent
lab_transfer a b "$DIR/first"
check "a reaches b directly" via a b direct
age_us=$(peer_json a b age_us)
lab_watch b link2
read -r _ direct_before < <(lab_counted directly)
read -r _ relayed_before < <(lab_counted by_relay)
lab_sending a b
read -r _ direct < <(lab_counted directly)
read -r _ relayed < <(lab_counted by_relay)
cut=$(date +%s.%N)
inside world nft -f - <<END
add rule ip lab forward ip saddr 198.18.1.2 ip daddr 198.18.2.2 drop
add rule ip lab forward ip saddr 198.18.2.2 ip daddr 198.18.1.2 drop
END
direct=$((direct - direct_before)) relayed=$((relayed - relayed_before))
echo "$direct bytes went directly before the cut, $relayed by the relay"
check "the direct path had the transfer" test "$direct" -gt $((10 * relayed + 1000000))
lab_still_sending
lab_sent
lab_gap b "$cut"
echo "data went on after $gap_ms ms (bound $BOUND_MS ms; the gap began $at_s s after the cut)"
check "within the bound" test "$gap_ms" -le $((BOUND_MS + SLACK_MS))
check "by the relay" via a b relay
check "in the same session" test "$(peer_json a b age_us)" -gt $((age_us + 2000000))
exit $FAILED
