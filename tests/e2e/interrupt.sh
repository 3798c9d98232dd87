#!/usr/bin/env bash
# Ctrl-C, and what a terminal shows meanwhile: an interrupted recv or send ends its transfers on both sides and says so; a second one
# ends at once; the progress line fits the terminal; elsewhere there is none.
. "$(dirname "$0")/lib.sh"
PTY=$BUILD/tests/e2e_pty
SOCK() { echo "$DIR/$1/control.sock"; }
term() { # COLUMNS NODE [pty options] -- command...: on a terminal
    local columns=$1 who=$2 opts=()
    shift 2
    while [ "$1" != -- ]; do opts+=("$1"); shift; done
    shift
    timeout 60 "$PTY" "$columns" "${opts[@]}" -- "$BUILD/meshctl" --socket "$(SOCK "$who")" "$@"
}
start a
start b
pair a b
mkdir "$DIR/in" "$DIR/in2"
truncate -s 20G "$DIR/big"
truncate -s 300M "$DIR/medium"
running() { ctl "$1" --json transfers ls | grep -qE '"state":"(running|offered|opening|connecting)"'; }
until_running() { for _ in $(seq 200); do ctl "$1" --json transfers ls | grep -q '"state":"running"' && return 0; sleep 0.05; done; return 1; }
until_idle() { for _ in $(seq 200); do running "$1" || return 0; sleep 0.05; done; return 1; }

# The first Ctrl-C in recv, on a terminal, and each signal without one.
ctl a send b "$DIR/big" >"$DIR/s.out" 2>"$DIR/s.err" &
s=$!
term 80 b -i ' MB/s' -- recv --out "$DIR/in" >"$DIR/r.out"
rc=$?
check "Ctrl-C in recv gives 130, not $rc: $(tr '\r' '\n' <"$DIR/r.out" | tail -2)" test $rc = 130
check "the line has the file's name" grep -q "big  \[" "$DIR/r.out"
check "what is said begins below the line: $(tail -c 200 "$DIR/r.out")" grep -qP '^meshctl: transfer' "$DIR/r.out"
check "it says what became of it: $(tail -c 200 "$DIR/r.out")" grep -q 'transfer [0-9]* from a is cancelled' "$DIR/r.out"
wait $s
rc=$?
check "the sender fails, with $rc" test $rc != 0
check "the sender hears why: $(cat "$DIR/s.err")" grep -qi cancelled "$DIR/s.err"
check "nothing is left in the directory: $(ls -A "$DIR/in")" test -z "$(ls -A "$DIR/in")"
for sig in INT TERM HUP; do
    "$BUILD/meshctl" --socket "$(SOCK b)" recv --out "$DIR/in" >/dev/null 2>"$DIR/r.err" &
    r=$!
    ctl a send b "$DIR/big" >/dev/null 2>&1 &
    s=$!
    until_running b
    kill -$sig $r
    wait $r
    rc=$?
    check "$sig in recv gives 130, not $rc" test $rc = 130
    check "$sig: it says so: $(cat "$DIR/r.err")" grep -q 'is cancelled' "$DIR/r.err"
    check "$sig: no carriage return without a terminal" test "$(tr -dc '\r' <"$DIR/r.err" | wc -c)" = 0
    wait $s
    check "$sig: nothing runs on" until_idle b
done
check "still nothing in the directory" test -z "$(ls -A "$DIR/in")"
# Nothing was under way; nohup is left alone; JSON has each outcome.
"$BUILD/meshctl" --socket "$(SOCK b)" --json recv --out "$DIR/in" >"$DIR/r.json" 2>"$DIR/r.err" &
r=$!
ctl a send b "$DIR/big" >/dev/null 2>&1 &
s=$!
until_running b
kill -INT $r
wait $r $s
check "JSON: the transfer with its error: $(cat "$DIR/r.json")" grep -qE '"error":\{"code":"cancelled".*"state":"failed"' "$DIR/r.json"
check "JSON: and nothing else" test "$(wc -l <"$DIR/r.json")" = 1
term 80 b -i 'waiting for a transfer' -- recv >"$DIR/r.out"
check "nothing was being received: $(cat "$DIR/r.out")" grep -q 'nothing is being received now' "$DIR/r.out"
(trap '' HUP; exec "$BUILD/meshctl" --socket "$(SOCK b)" recv --once --out "$DIR/in2" >/dev/null 2>&1) &
r=$!
sleep 0.5
kill -HUP $r
echo hello >"$DIR/small"
ctl a send b "$DIR/small" >/dev/null
check "an ignored SIGHUP stays ignored" wait $r

# send, waiting and running.
term 80 a -i 'waiting for b to accept big, 21.5 GB' -- send b "$DIR/big" >"$DIR/s.out"
rc=$?
check "Ctrl-C in a waiting send gives 130, not $rc: $(cat "$DIR/s.out")" test $rc = 130
check "it says so: $(cat "$DIR/s.out")" grep -q 'transfer [0-9]* is cancelled' "$DIR/s.out"
check "the offer is gone" until_idle b

# A second signal ends at once, even where nobody answers.
kill -STOP "${PID[b]}"
"$BUILD/meshctl" --socket "$(SOCK b)" recv 2>/dev/null &
r=$!
sleep 0.3
kill -INT $r; sleep 0.2; kill -INT $r 2>/dev/null
for _ in $(seq 20); do kill -0 $r 2>/dev/null || break; sleep 0.05; done
check "a second Ctrl-C ends at once" test ! -e "/proc/$r/fd/0"
kill -CONT "${PID[b]}"
wait $r
rc=$?
check "with 130, not $rc" test $rc = 130

# What else waits: 130 and a word.
for verb in 'wait --for contact=nobody' 'msgs --follow' events; do
    # shellcheck disable=SC2086
    "$BUILD/meshctl" --socket "$(SOCK a)" $verb >/dev/null 2>"$DIR/w.err" &
    w=$!
    sleep 0.3
    kill -INT $w
    wait $w
    rc=$?
    check "$verb: 130, not $rc ($(cat "$DIR/w.err"))" test $rc = 130
done
mkfifo "$DIR/fifo"
for verb in 'msg b -' 'send b -' 'contact add c -'; do
    # shellcheck disable=SC2086
    "$BUILD/meshctl" --socket "$(SOCK a)" $verb <>"$DIR/fifo" >/dev/null 2>"$DIR/w.err" &
    w=$!
    sleep 0.3
    kill -INT $w
    wait $w
    rc=$?
    check "$verb, still reading: 130, not $rc ($(cat "$DIR/w.err"))" test $rc = 130
    check "$verb: it says so: $(cat "$DIR/w.err")" grep -q interrupted "$DIR/w.err"
done
stop b
"$BUILD/meshctl" --socket "$(SOCK a)" ping b -c 100 >/dev/null 2>"$DIR/w.err" &
w=$!
sleep 0.5
kill -INT $w
wait $w
rc=$?
check "ping: 130, not $rc" test $rc = 130
"$BUILD/meshctl" --socket "$(SOCK a)" msg b words --timeout 1m >/dev/null 2>"$DIR/w.err" &
w=$!
sleep 0.5
kill -INT $w
wait $w
rc=$?
check "msg: 130, not $rc" test $rc = 130
check "msg: the message is not taken back, and that is said: $(cat "$DIR/w.err")" grep -q 'queued' "$DIR/w.err"
start b
ctl a wait --for peer=b --timeout 20s >/dev/null

# --detach leaves it to meshd.
ctl b recv --detach --out "$DIR/in" 2>"$DIR/r.err" &
r=$!
sleep 0.3
check "send --detach: $(cat "$DIR/s.err")" ctl a send b "$DIR/medium" --detach 2>"$DIR/s.err"
check "it says how to stop it: $(cat "$DIR/s.err")" grep -q 'meshctl --socket [^ ]* cancel [0-9]' "$DIR/s.err"
check "recv --detach ends when it has begun" wait $r
check "and says how to stop it: $(cat "$DIR/r.err")" grep -q 'meshctl --socket [^ ]* cancel [0-9]' "$DIR/r.err"
for _ in $(seq 200); do [ -e "$DIR/in/medium" ] && break; sleep 0.1; done
check "it arrives all the same" test "$(stat -c %s "$DIR/in/medium")" = 314572800
rm "$DIR/in/medium"

# The line fits: what stands between two returns is shorter than the terminal is wide, also when it gets narrower, and nothing of it stays.
for columns in 20 40 60 200; do
    ctl b recv --once --out "$DIR/in" >/dev/null 2>&1 &
    r=$!
    sleep 0.3
    term $columns a -- send b "$DIR/medium" >"$DIR/s.out"
    wait $r
    rm "$DIR/in/medium"
    longest=$(tr '\r' '\n' <"$DIR/s.out" | grep -v '^sent' | awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }')
    check "$columns columns: a line of $longest" test "$longest" -lt $columns
    check "$columns columns: there is progress" grep -qE '[0-9]%' "$DIR/s.out"
    [ $columns = 20 ] || check "$columns columns: with name and time: $(tr '\r' '\n' <"$DIR/s.out" | tail -5)" grep -qE 'medium .*(ETA [0-9]+:[0-9][0-9]|verifying)' "$DIR/s.out"
    check "$columns columns: the outcome begins on a clean line" test "$(tr '\r' '\n' <"$DIR/s.out" | grep -c '^sent medium')" = 1
    check "never \"0 us\"" test "$(grep -c '0 us' "$DIR/s.out")" = 0
done
term 100 a -r 'waiting for b' 50 -i 'waiting for b' -- send b "$DIR/medium" >"$DIR/s.out"
check "redrawn at once when the terminal changes: $(cat "$DIR/s.out")" grep -q cancelled "$DIR/s.out"
for i in 1 2 3; do cp --sparse=always "$DIR/medium" "$DIR/file$i"; done
ctl b recv --once --out "$DIR/in" >/dev/null 2>&1 &
sleep 0.3
term 80 a -- send b "$DIR/file1" "$DIR/file2" "$DIR/file3" >"$DIR/s.out"
check "one of several has its number and name" grep -q '2/3 file2 ' "$DIR/s.out"
exit $FAILED
