#!/usr/bin/env bash
# The relay by which two hosts behind NATs have a transfer is killed; another one stands by: the gap is a second at most, in the same
# session, and the transfer is not begun again.
LAB_NEEDS=tcpdump
. "$(dirname "$0")/lab.sh"
BOUND_MS=1000
lab_world
lab_relay r 9
lab_relay s 8
lab_home a 1 10ms 40M
lab_home b 2 10ms 40M
lab_node a a --relay "$RELAY_r" --relay "$RELAY_s"
lab_node b b --relay "$RELAY_r" --relay "$RELAY_s"
lab_count by_r ip saddr 198.18.1.2 ip daddr 198.18.9.2 meta length gt 400
lab_count by_s ip saddr 198.18.1.2 ip daddr 198.18.8.2 meta length gt 400
pair a b
age_us=$(peer_json a b age_us)
lab_watch b eth0
lab_sending a b
read -r by_r _ < <(lab_counted by_r)
read -r by_s _ < <(lab_counted by_s)
victim=r
[ "$by_s" -le "$by_r" ] || victim=s
killed=$(date +%s.%N)
lab_still_sending
stop $victim KILL
lab_sent
lab_gap b "$killed"
read -r packets bytes < <(lab_counted by_$victim)
read -r packets2 bytes2 < <(lab_counted by_$([ $victim = r ] && echo s || echo r))
echo "relay $victim was killed: $gap_ms ms without data ($at_s s after); $bytes bytes had gone by it, $bytes2 by the other ($packets, $packets2 packets)"
check "a second at most" test "$gap_ms" -le $BOUND_MS
check "in the same session" test "$(peer_json a b age_us)" -gt $((age_us + 2000000))
check "the transfer was not begun again" test $((bytes + bytes2)) -lt 39000000
exit $FAILED
