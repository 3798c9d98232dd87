#!/usr/bin/env bash
# Two hosts behind NATs that draw a port for everybody and let nobody in, and a relay that both know: they pair by a ticket, a file and a
# message arrive, and each says that it goes by a relay and why.
. "$(dirname "$0")/lab.sh"
lab_world
lab_relay r 9
lab_home a 1
lab_home b 2
lab_node a a --relay "$RELAY_r"
lab_node b b --relay "$RELAY_r"
begin=$(date +%s%3N)
pair a b
echo "paired after $(($(date +%s%3N) - begin)) ms"
head -c 5000000 /dev/urandom >"$DIR/file"
lab_transfer a b "$DIR/file"
check "a message" ctl a msg b hello
for side in "a b" "b a"; do
    set -- $side
    check "$1 says that it reaches $2 by a relay" via "$1" "$2" relay
    why=$(peer_json "$1" "$2" why)
    echo "$1 says why: $why"
    check "and why" test "${#why}" -gt 10 -a "$why" != None
done
# Nobody but the relay heard of anybody.
check "the relay lives" alive r
exit $FAILED
