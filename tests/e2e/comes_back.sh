#!/usr/bin/env bash
# A peer that comes back, at another port or after a kill, is online again on both sides without anybody asking; and one that does not
# answer, dead, stopped or gone, is told within three seconds. RUNS=5 for medians.
. "$(dirname "$0")/lib.sh"
runs=${RUNS:-1}
now_ms() { date +%s%3N; }
state() { ctl "$1" --json contact ls | grep -oE '"state":"[a-z]+"' | head -1 | cut -d'"' -f4; }
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
# online MS: a sees b within so long; prints how long it took.
online() {
    local from
    from=$(now_ms)
    while [ "$(state a)" != online ] || [ "$(state b)" != online ]; do
        [ $(($(now_ms) - from)) -lt "$1" ] || { echo "FAILED: not online after $1 ms: $(state a), $(state b)" >&2; return 1; }
        sleep 0.02
    done
    echo $(($(now_ms) - from))
}
elsewhere() { rm -f "$DIR/$1/port"; } # the kernel gives another
offline() { # WHAT command...: exit status 6 within three seconds; prints how long it took
    local what=$1 from rc took
    shift
    from=$(now_ms)
    "$@" >/dev/null 2>&1
    rc=$?
    took=$(($(now_ms) - from))
    [ "$rc" = 6 ] && [ "$took" -le 3000 ] || { echo "FAILED: $what gave $rc after $took ms" >&2; return 1; }
    echo "$took"
}
# each NAME command...: so many runs; its median is told
each() {
    local name=$1 i
    shift
    : >"$DIR/figures"
    for ((i = 0; i < runs; i++)); do
        "$@" >>"$DIR/figures" || FAILED=1
    done
    echo "$name: median $(median <"$DIR/figures") ms of $(wc -l <"$DIR/figures")"
}

restarted() { # after SIGNAL, at another port
    stop b "$1"
    elsewhere b
    start b
    online 3000
}
dead() { # SIGNAL command...: b has just gone so, and comes back after it
    local signal=$1
    shift
    if [ "$signal" = STOP ]; then kill -STOP "${PID[b]}"; else stop b "$signal"; fi
    offline "$signal $1 $2" "$@"
    local rc=$?
    if [ "$signal" = STOP ]; then kill -CONT "${PID[b]}"; else start b; fi
    online 3000 >/dev/null || rc=1
    return "$rc"
}

printf x >"$DIR/f"
start a
start b
pair a b
ctl b recv --out "$DIR" >/dev/null 2>&1 &
PID[receiver]=$!
each "orderly stop, another port" restarted TERM
each "kill -9, another port" restarted KILL
each "send, killed" dead KILL ctl a send b "$DIR/f"
each "send, stopped" dead STOP ctl a send b "$DIR/f"
each "send, gone with a goodbye" dead TERM ctl a send b "$DIR/f"
each "ping, killed" dead KILL ctl a ping b -c 1
each "ping, stopped" dead STOP ctl a ping b -c 1
each "msg, stopped" dead STOP ctl a msg b hello

# A message waits for a peer that is elsewhere by now, and leaves when that is back.
stop b
elsewhere b
check "the message is queued" test "$(ctl a msg b 'for the laptop' >/dev/null 2>&1; echo $?)" = 6
start b
online 3000 >/dev/null || FAILED=1
sleep 1
check "and arrives" grep -q 'for the laptop' <<<"$(ctl b msgs)"

# Wait asks a session that has been quiet, instead of believing in it.
sleep 4
stop b KILL
expect 10 'time' ctl a wait --for peer=b --timeout 4s
start b
check "both are there" ctl a wait --for peer=b --timeout 5s
exit $FAILED
