#!/usr/bin/env bash
# A daemon with two home relays and nothing to do: no CPU time, and 5 bytes a second at most to both together, headers of IP and UDP
# counted. IDLE_SECONDS=600 for the acceptance run, from 8 s after the homes are there on (IDLE_AFTER=8); a short run may have
# one keepalive of each relay in it.
. "$(dirname "$0")/lab.sh"
seconds=${IDLE_SECONDS:-12}
lab_world
lab_relay r 9
lab_relay s 8
lab_home a 1
lab_count to_r ip saddr 198.18.1.2 ip daddr 198.18.9.2
lab_count to_s ip saddr 198.18.1.2 ip daddr 198.18.8.2
lab_count from_r ip saddr 198.18.9.2 ip daddr 198.18.1.2
lab_count from_s ip saddr 198.18.8.2 ip daddr 198.18.1.2
lab_node a a --relay "$RELAY_r" --relay "$RELAY_s"
homes() { [ "$(ctl a --json relays | grep -oE '"home": ?true' | wc -l)" = 2 ]; }
lab_until 15 "two home relays" homes
sleep "${IDLE_AFTER:-8}" # what a new session has to say is said
ticks() { awk '{print $14 + $15}' "/proc/${PID[a]}/stat"; }
wakeups() { cat "/proc/${PID[a]}"/task/*/status | awk '/ctxt_switches/ {n += $2} END {print n}'; }
all() { for c in "$@"; do lab_counted $c; done | awk '{p += $1; b += $2} END {print p, b}'; }
for relay in r s; do
    check "$relay has been spoken to" test "$(lab_counted from_$relay | cut -d' ' -f1)" -gt 2
done
read -r packets bytes < <(all to_r to_s)
read -r answers back < <(all from_r from_s)
ticks=$(ticks)
wakeups=$(wakeups)
sleep "$seconds"
read -r packets2 bytes2 < <(all to_r to_s)
read -r answers2 back2 < <(all from_r from_s)
ticks=$(($(ticks) - ticks)) wakeups=$(($(wakeups) - wakeups)) packets=$((packets2 - packets)) bytes=$((bytes2 - bytes))
echo "$seconds s: $packets packets, $bytes bytes to both ($(awk "BEGIN {printf \"%.2f\", $bytes / $seconds}") B/s)," \
    "$((answers2 - answers)) packets, $((back2 - back)) bytes back, $wakeups wake-ups, $ticks ticks of CPU"
check "no CPU time" test "$ticks" -le $((seconds / 60 + 1))
# A keepalive each 25 s at most, of both; one of either may fall into a short run.
check "5 B/s to both" test "$bytes" -le $((5 * (seconds > 60 ? seconds : 60)))
exit $FAILED
