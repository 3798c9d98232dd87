#!/usr/bin/env bash
# A peer that is killed in the middle of a transfer is noticed within two seconds, directly and by a relay: by who sends to it, and by who
# waits for what it sends.
. "$(dirname "$0")/lab.sh"
BOUND_MS=2000
lab_world
lab_relay r 9
lab_home a 1 5ms 40M
lab_node a a --relay "$RELAY_r"
lab_home b 2 5ms 40M
lab_host c 3 5ms 40M
lab_home d 4 5ms 40M
lab_host e 5 5ms 40M
for who in b c d e; do
    lab_node $who $who --relay "$RELAY_r"
    pair a $who
done
for who in c e; do lab_until 20 "a direct path to $who" via a $who direct; done
# Not how busy the machine is otherwise: links and the relay are processes, too, and hold words of the dead.
renice -n -20 -p "${PID[@]}" >/dev/null
online() { [ "$(peer_json a "$1" state)" = online ]; }
noticed() { grep -q "\"$1\" does not answer," "$DIR/a.log"; } # the log tells when: to ask takes longer on a busy machine
number=0
running() { ctl a --json transfers show "$number" | grep -q '"state":"running"'; }
killed() { # FROM TO: the one that is not a dies while a file is sent
    local from=$1 to=$2 peer=$1 begin
    number=$((number + 1))
    [ "$peer" != a ] || peer=$to
    head -c 30000000 /dev/urandom >"$DIR/file-$peer"
    mkdir "$DIR/out-$peer"
    ctl "$to" recv --out "$DIR/out-$peer" --once >/dev/null 2>&1 &
    CTL_TIMEOUT=20 ctl "$from" send "$to" "$DIR/file-$peer" >/dev/null 2>&1 &
    lab_until 10 "a transfer from $from to $to" running
    sleep 1
    check "$peer is there" online "$peer"
    begin=$(date +%s%3N)
    stop "$peer" KILL
    lab_until 6 "a word of it" noticed "$peer"
    ms=$(($(date -u -d "$(awk -v said="\"$peer\" does not answer," 'index($0, said) {print $1; exit}' "$DIR/a.log")" +%s%3N) - begin))
    check "$peer does not count as online" eval "! online $peer"
    echo "$peer ($from sends to $to, via $(peer_json a "$peer" via)) is $(peer_json a "$peer" state) after $ms ms"
    check "noticed in $BOUND_MS ms" test $ms -le $BOUND_MS
}
killed a b
killed a c
killed d a
killed e a
exit $FAILED
