#!/usr/bin/env bash
# What is not the mesh's at a relay's port (a web browser, TLS, a megabyte of noise) and twenty kinds of broken or forged packets from a
# host that has no session there: the relay lives, counts them, forwards none, answers none with more than came, and still works.
LAB_NEEDS=python3
. "$(dirname "$0")/lab.sh"
lab_world
lab_relay r 9
lab_home a 1
lab_home b 2
lab_host c 3
lab_node a a --relay "$RELAY_r"
lab_node b b --relay "$RELAY_r"
pair a b
check "a ping" ctl a ping b -c 1
sleep 1
lab_count to_a ip saddr 198.18.9.2 ip daddr 198.18.1.2
lab_count to_b ip saddr 198.18.9.2 ip daddr 198.18.2.2
lab_count to_c ip saddr 198.18.9.2 ip daddr 198.18.3.2
lab_count from_c ip saddr 198.18.3.2 ip daddr 198.18.9.2
stats() { # the sum of the counters whose name has this in it
    ctl r --json status | grep -oE "\"[a-z_]*($1)[a-z_]*\":[0-9]+" | cut -d: -f2 | awk '{n += $1} END {print n + 0}'
}
before=$(stats 'drop|bad|unknown|malformed|refused|garbage')
rss=$(rss_kib r)
inside c python3 "$(dirname "$0")/garbage.py" 198.18.9.2 7557 "${MESH_SEED:-1}" || FAILED=1
sleep 0.5
after=$(stats 'drop|bad|unknown|malformed|refused|garbage')
read -r from_packets from_bytes < <(lab_counted from_c)
read -r to_packets to_bytes < <(lab_counted to_c)
echo "$from_packets packets of garbage, $((after - before)) counted; $to_packets answers; RSS $rss -> $(rss_kib r) KiB"
check "the relay lives" alive r
check "they were counted" test $((after - before)) -gt $((from_packets / 2))
check "nothing was forwarded to a" test "$(lab_counted to_a | awk '$2 < 1000')" != ""
check "nothing was forwarded to b" test "$(lab_counted to_b | awk '$2 < 1000')" != ""
check "answers are not larger than what came" test "$to_bytes" -le "$from_bytes"
check "few are answered at all" test "$to_packets" -le 100
check "memory is flat" test $(($(rss_kib r) - rss)) -lt 4096
check "a and b still reach each other" ctl a ping b -c 1
exit $FAILED
