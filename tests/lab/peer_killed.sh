#!/usr/bin/env bash
# A peer that is killed while something is sent to it is noticed within two seconds, directly and by a relay.
. "$(dirname "$0")/lab.sh"
BOUND_MS=2000
lab_world
lab_relay r 9
lab_home a 1 5ms 40M
lab_home b 2 5ms 40M
lab_host c 3 5ms 40M
lab_node a a --relay "$RELAY_r"
lab_node b b --relay "$RELAY_r"
lab_node c c --relay "$RELAY_r"
pair a b
pair a c
online() { [ "$(peer_json a "$1" state)" = online ]; }
killed() { # PEER: while a file is sent to it
    local peer=$1 begin
    head -c 30000000 /dev/urandom >"$DIR/file-$peer"
    mkdir "$DIR/out-$peer"
    ctl "$peer" recv --out "$DIR/out-$peer" --once >/dev/null 2>&1 &
    CTL_TIMEOUT=20 ctl a send "$peer" "$DIR/file-$peer" >/dev/null 2>&1 &
    sleep 2
    check "$peer is there" online "$peer"
    begin=$(date +%s%3N)
    stop "$peer" KILL
    while online "$peer" && [ $(($(date +%s%3N) - begin)) -lt 6000 ]; do sleep 0.05; done
    ms=$(($(date +%s%3N) - begin))
    echo "$peer (via $(peer_json a "$peer" via)) is $(peer_json a "$peer" state) after $ms ms"
    check "noticed in $BOUND_MS ms" test $ms -le $((BOUND_MS + 150))
}
killed b
killed c
exit $FAILED
