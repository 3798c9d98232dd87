#!/usr/bin/env bash
# path = relay_only: two hosts that could reach each other send not one packet to each other's address, in pairing, transfer and idle;
# and no address of theirs is in a ticket.
. "$(dirname "$0")/lab.sh"
lab_world
lab_relay r 9
lab_host a 1
lab_host b 2
lab_count a_to_b ip saddr 198.18.1.2 ip daddr 198.18.2.2
lab_count b_to_a ip saddr 198.18.2.2 ip daddr 198.18.1.2
lab_count a_to_r ip saddr 198.18.1.2 ip daddr 198.18.9.2
for who in a b; do
    mkdir -p -m 700 "$DIR/$who"
    printf '[path]\npolicy = relay_only\n' >"$DIR/$who/meshd.conf"
    lab_node $who $who --relay "$RELAY_r"
done
pair a b
head -c 3000000 /dev/urandom >"$DIR/file"
lab_transfer a b "$DIR/file"
sleep 6 # standbys and better paths would be asked by now
check "a message" ctl b msg a hello
check "by the relay" via a b relay
check "the counters work" test "$(lab_counted a_to_r | cut -d' ' -f2)" -gt 3000000
check "nothing from a to b" test "$(lab_counted a_to_b)" = "0 0"
check "nothing from b to a" test "$(lab_counted b_to_a)" = "0 0"
exit $FAILED
