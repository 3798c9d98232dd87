#!/usr/bin/env bash
# Whose error it is: the receiver's disk, permissions and limits are told to the sender as the receiver's, with what to ask for, and the
# other way round; each limit with its number. As root also with file systems of its own: a full one, one that nobody may write to, one
# that does not know how much room it has.
. "$(dirname "$0")/lib.sh"
MOUNTED=""
unmount() { for m in $MOUNTED; do umount "$m" 2>/dev/null; done; }
EXTRA_CLEANUP=unmount
ADVICE_FOR_HERE='--out|meshd.s user|; free some space'
# not_for_here TEXT: no advice that only helps on the other machine.
not_for_here() { ! grep -qE -- "$ADVICE_FOR_HERE" <<<"$1"; }
# told SIDE CODE LIMIT JSON: the error of meshctl's JSON object.
told() { python3 -c '
import json, sys
e = json.loads(sys.argv[4])["error"]
limit = e["limit"]["name"] if e["limit"] else ""
sys.exit((e["side"], e["code"], limit) != tuple(sys.argv[1:4]))' "$@"; }
# receive DIR: b receives one transfer into it; what it says and how it ends go to $DIR/recv.
receive() {
    CTL_TIMEOUT=30 ctl b --json recv --once --out "$1" >"$DIR/recv" 2>"$DIR/recv.err" &
    receiver=$!
    sleep 0.3
}
# fails CODE SIDE-OF-SENDER SIDE-OF-RECEIVER DIR FILE: a sends it to b, and both tell the error so.
fails() {
    local code=$1 at_a=$2 at_b=$3 limit=${LIMIT:-} out
    receive "$4"
    ${BEFORE:-}
    out=$(ctl a --json send b "$5" 2>"$DIR/send.err")
    wait "$receiver"
    check "the sender is told $code of $at_a: $out" told "$at_a" "$code" "$limit" "$out"
    check "the receiver is told $code of $at_b: $(cat "$DIR/recv")" told "$at_b" "$code" "$limit" "$(cat "$DIR/recv")"
    [ "$at_a" != peer ] || check "the sender: $(cat "$DIR/send.err")" not_for_here "$(cat "$DIR/send.err")"
    [ "$at_a" != peer ] || check "the sender asks for something: $(cat "$DIR/send.err")" grep -qE 'ask them|again' "$DIR/send.err"
    [ "$at_b" != peer ] || check "the receiver: $(cat "$DIR/recv.err")" not_for_here "$(cat "$DIR/recv.err")"
}
printf '[files]\naccept_max = 8M\n[messages]\nquota = 256K\n' >"$DIR/b.conf"
start a
start b --config "$DIR/b.conf"
pair a b
mkdir "$DIR/in"
truncate -s 5M "$DIR/f"

# The receiver's, without a file system of its own.
touch "$DIR/in/f"
fails exists peer local "$DIR/in" "$DIR/f"
out=$(ctl b recv --once --out "$DIR/in" 2>&1 & sleep 0.3; ctl a send b "$DIR/f" 2>/dev/null; wait)
check "who receives is told of which file, and whose: $out" grep -q '^meshctl: f from a: the name is already taken: "f"' <<<"$out"
rm "$DIR/in/f"
truncate -s 9M "$DIR/large"
LIMIT=accept_max fails refused peer local "$DIR/in" "$DIR/large"
check "the limit and where it is set: $(cat "$DIR/send.err")" grep -q '8 MiB at most.*raise accept_max in \[files\] of their' "$DIR/send.err"

# The sender's: it is cancelled.
(sleep 0.5; ctl a cancel "$(ctl a --json transfers ls | grep -oE '"id":[0-9]+' | tail -1 | cut -d: -f2)") &
out=$(ctl a --json send b "$DIR/f" 2>/dev/null)
check "cancelled here: $out" told local cancelled "" "$out"
out=$(ctl b --json transfers ls | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["transfers"][-1]))')
check "cancelled there: $out" told peer cancelled "" "$out"

# Rejected: the one who did it reads that, not that the peer refused.
(sleep 0.5; ctl b reject "$(ctl b --json transfers ls | grep -oE '"id":[0-9]+' | tail -1 | cut -d: -f2)") &
out=$(ctl a --json send b "$DIR/f" 2>/dev/null)
check "refused by the peer: $out" told peer refused "" "$out"
check "refused here: $(ctl b transfers ls)" grep -q 'refused here' <(ctl b transfers ls)
n=$(ctl b --json transfers ls | grep -oE '"id":[0-9]+' | tail -1 | cut -d: -f2)
expect 2 'rejected here already' ctl b accept "$n"
expect 2 'rejected here already' ctl b cancel "$n"
expect 2 'sent by this node' ctl a accept "$(ctl a --json transfers ls | grep -oE '"id":[0-9]+' | tail -1 | cut -d: -f2)"

# What cannot be sent says what it is, and no peer is bothered.
if [ -r /proc/self/status ]; then
    expect 1 'no fixed size.*copy it first' ctl a send b /proc/self/status
    cp /proc/self/status "$DIR/status"
    ctl b recv --once --out "$DIR/in" >/dev/null 2>&1 & receiver=$!
    sleep 0.3
    check "a copy can be sent" ctl a send b "$DIR/status"
    wait "$receiver"
fi
mkfifo "$DIR/fifo"
expect 1 'is a pipe' ctl a send b "$DIR/fifo"
expect 1 'is a device' ctl a send b /dev/null
expect 1 'is a directory' ctl a send b "$DIR/in"

# A log that grows all the time; as long as is taken, so that it does while it is sent on a busy machine, too.
head -c 8000000 /dev/zero >"$DIR/log"
(while [ -e "$DIR/log" ]; do echo more >>"$DIR/log"; done) 2>/dev/null & writer=$!
fails changed local peer "$DIR/in" "$DIR/log"
check "what to do: $(cat "$DIR/send.err")" grep -q 'a copy of it' "$DIR/send.err"
rm "$DIR/log"; kill "$writer" 2>/dev/null; wait "$writer" 2>/dev/null

# The quota of messages: of the receiver, with its number and the line that sets it; both can see it.
head -c 60000 /dev/zero | tr '\0' x >"$DIR/text"
for _ in 1 2 3 4; do ctl a msg b - <"$DIR/text" >/dev/null; done
out=$(ctl a msg b - <"$DIR/text" 2>&1); rc=$?
check "queued: $rc" test $rc = 6
check "whose quota: $out" grep -q 'at the peer (256 KiB at most, quota in their meshd.conf); ask them to delete' <<<"$out"
check "no advice for here: $out" not_for_here "$out"
out=$(ctl a --json contact ls | python3 -c 'import json, sys; print(json.dumps({"error": json.load(sys.stdin)["contacts"][0]["refused"]}))')
check "contact ls: $out" told peer full quota "$out"
check "the log says whose it is" grep -q 'does not take message.*at the peer' "$DIR/a.log"

# Too many programs at the control socket: told as that, not as a daemon that is gone.
programs=()
stay() { "$BUILD/meshctl" --socket "$DIR/a/control.sock" events >/dev/null 2>&1 & programs+=($!); }
for _ in $(seq 64); do stay; done
for _ in $(seq 600); do
    out=$(ctl a --json id 2>"$DIR/id.err") || break
    stay # this question may have had the place of one of them
    sleep 0.1
done
check "too many programs: $out" told local full connections "$out"
check "with the number: $(cat "$DIR/id.err")" grep -q '64 at most, which is fixed.*end some' "$DIR/id.err"
kill "${programs[@]}" 2>/dev/null
wait "${programs[@]}" 2>/dev/null
check "and then it goes on" ctl a id

# File systems of its own.
[ "$(id -u)" = 0 ] || { [ "$FAILED" = 0 ] && exit 77; exit 1; }
mount -t tmpfs -o size=1m none "$DIR/in" 2>/dev/null || { [ "$FAILED" = 0 ] && exit 77; exit 1; }
MOUNTED="$DIR/in"
fails disk peer local "$DIR/in" "$DIR/f" # before a byte has come
check "the receiver knows what to do: $(cat "$DIR/recv.err")" grep -q -- '--out' "$DIR/recv.err"
head -c 600000 /dev/urandom >"$DIR/half"
check "exactly what fits is taken" sh -c "truncate -s 1M '$DIR/fits'"
receive "$DIR/in"
check "a file as large as the file system" ctl a send b "$DIR/fits"
wait "$receiver"
fails disk peer local "$DIR/in" "$DIR/half" # it is full, and says 0: found by trying
check "nothing is left of it: $(ls -A "$DIR/in")" test "$(ls -A "$DIR/in")" = fits
BEFORE="mount -o remount,ro $DIR/in" fails permission peer local "$DIR/in" "$DIR/half" # while it waits
umount "$DIR/in"
mount -t ramfs none "$DIR/in" || exit 1
receive "$DIR/in"
check "a file system that does not know its room" ctl a send b "$DIR/half"
wait "$receiver"
check "and it is there" cmp "$DIR/half" "$DIR/in/half"
umount "$DIR/in"

# The disk of the state is full: neither a ticket nor a message is helped by a directory to receive into.
mkdir "$DIR/c"
mount -t tmpfs -o size=2m,mode=700 none "$DIR/c" || exit 1
MOUNTED="$DIR/in $DIR/c"
start c
pair a c
head -c 4000000 /dev/zero >"$DIR/c/filler" 2>/dev/null
for what in "msg a -" "ticket"; do
    for _ in $(seq 200); do
        out=$(ctl c --json $what <"$DIR/text" 2>"$DIR/state.err") || break
    done
    check "$what on a full disk: $out" told local disk "" "$out"
    check "$what: $(cat "$DIR/state.err")" grep -q 'where meshd keeps its state' "$DIR/state.err"
    check "$what: $(cat "$DIR/state.err")" sh -c "! grep -q -- --out '$DIR/state.err'"
done
stop c
exit $FAILED
