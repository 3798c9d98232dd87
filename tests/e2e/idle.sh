#!/usr/bin/env bash
# Two idle nodes with a session between them: no packet, no wake-up, no CPU time. IDLE_SECONDS=60 for the acceptance run.
command -v strace >/dev/null || { echo "skipped: strace is not installed"; exit 77; }
. "$(dirname "$0")/lib.sh"
nm "$BUILD/meshd" 2>/dev/null | grep -q __asan_init && { echo "skipped: not in a sanitizer build"; exit 77; }
is_portable && { echo "skipped: this build is not told of other addresses, and wakes up to look"; exit 77; }
seconds=${IDLE_SECONDS:-5}
start a
start b
pair a b
ctl a msg b hello
sleep 9 # the transport is detached after two seconds, the core's watch over lost peers ends after five
ticks() { awk '{print $14 + $15}' "/proc/${PID[a]}/stat"; }
before=$(ticks)
timeout "$seconds" strace -f -o "$DIR/trace" -p "${PID[a]}" 2>/dev/null
after=$(ticks)
calls=$(grep -cvE 'resumed|\+\+\+|---|unfinished|detached' "$DIR/trace")
echo "$calls system calls in $seconds s, $((after - before)) ticks"
cat "$DIR/trace" | head -5
check "no system call" test "$calls" = 0
check "no CPU time" test $((after - before)) -le 1
check "still connected" ctl a ping b -c 1
exit $FAILED
