#!/usr/bin/env bash
# send -, --as and --state: standard input becomes a file of the given name, nothing of its copy stays however meshctl ends; a state directory
# is as good as its socket.
. "$(dirname "$0")/lib.sh"
start a
start b
pair a b
mkdir "$DIR/in" "$DIR/tmp"
export TMPDIR=$DIR/tmp
state() { local who=$1; shift; timeout 60 "$BUILD/meshctl" --state "$DIR/$who" "$@"; }

# --state, as meshd has it.
check "--state finds the daemon" test "$(state a id)" = "$(ctl a id)"
check "--state=DIR, too" test "$("$BUILD/meshctl" --state="$DIR/b" id)" = "$(ctl b id)"
check "~ is the home directory" test "$(HOME=$DIR "$BUILD/meshctl" --state='~/b' id)" = "$(ctl b id)"
check "it goes before MESHD_SOCKET" test "$(MESHD_SOCKET=$DIR/a/control.sock state b id)" = "$(ctl b id)"
expect 2 'both say' "$BUILD/meshctl" --socket "$DIR/a/control.sock" --state "$DIR/a" id
expect 3 'no such directory' state missing id
(sleep 0.5; exec "$BUILD/meshd" --state "$DIR/new" --listen 127.0.0.1:0 2>/dev/null) &
PID[new]=$!
check "wait is for one that makes its directory, too" state new wait --for ready --timeout 10
mkdir -m 700 "$DIR/silent"
expect 3 "start it with: meshd --state $DIR/silent" state silent id
mkdir -m 700 "$DIR/si lent"
expect 3 "start it with: meshd --state '$DIR/si lent'$" state "si lent" id
expect 3 "start it with: meshd --socket $DIR/silent/x.sock$" "$BUILD/meshctl" --socket "$DIR/silent/x.sock" id
expect 4 "meshctl --state $DIR/a contact ls" state a ping nobody
for option in --state= --socket=; do expect 2 'not an empty one' "$BUILD/meshctl" $option id; done
for command in "recv --out=" "accept 1 --out=" "ticket --out=" "contact add x --file=" "recv --from=" "ticket --name="; do
    expect 2 'not an empty one' state a $command
done
expect 3 'MESHD_SOCKET' env MESHD_SOCKET="$DIR/silent/x.sock" "$BUILD/meshctl" id

# What comes in by a pipe arrives as it is, under its name; no names of temporary files anywhere.
"$BUILD/meshctl" --state "$DIR/b" recv --out "$DIR/in" >/dev/null 2>&1 &
receiver=$!
sleep 0.3
head -c 20000000 /dev/urandom >"$DIR/data"
check "send -" state a send b - --as data.bin <<<"$(cat /dev/null)" >"$DIR/out"
rm -f "$DIR/in/data.bin"
check "send - from a pipe" sh -c "cat '$DIR/data' | '$BUILD/meshctl' --state '$DIR/a' send b - --as data.bin >/dev/null"
check "the content is the same" cmp "$DIR/data" "$DIR/in/data.bin"
check "its default name" sh -c "printf x | '$BUILD/meshctl' --state '$DIR/a' send b - >/dev/null"
check "is stdin" test "$(cat "$DIR/in/stdin")" = x
check "an empty one" sh -c ": | '$BUILD/meshctl' --state '$DIR/a' send b - --as empty >/dev/null"
check "which is listed as a whole one" grep -qE 'done +0 B +100 % +empty' <<<"$(state a transfers ls)"
check "is empty" test -f "$DIR/in/empty" -a ! -s "$DIR/in/empty"
check "a file under another name" state a send b "$DIR/data" --as renamed >/dev/null
check "is the same" cmp "$DIR/data" "$DIR/in/renamed"
check "only that" test "$(ls "$DIR/in" | tr '\n' ' ')" = "data.bin empty renamed stdin "
json=$(printf y | state a --json send b - --as json)
check "JSON has the name: $json" grep -q '"name":"json"' <<<"$json"
kill $receiver
wait $receiver 2>/dev/null
expect 2 'alone' state a send b - "$DIR/data" </dev/null
expect 2 'names one file' state a send b "$DIR/data" "$DIR/out" --as x
expect 2 'does not go with' state a send b - --detach </dev/null
expect 4 'no contact' state a send nobody - <"$DIR/data"
expect 2 'a/b' state a send b "$DIR/data" --as 'a/b'

# Bounded memory, and what is left when it is killed while it reads or waits: nothing.
(head -c 300000000 /dev/zero; exec sleep 5) | "$BUILD/meshctl" --state "$DIR/a" send b - >/dev/null 2>&1 &
s=$!
pos() { awk '/^pos/ {print $2}' /proc/$s/fdinfo/7[0-9][0-9] 2>/dev/null; }
for _ in $(seq 400); do [ "$(pos)" = 300000000 ] && break; sleep 0.05; done
check "it has read what there is: $(pos)" test "$(pos)" = 300000000
peak=$(awk '/VmHWM/ {print $2}' /proc/$s/status)
check "300 MB of input took $peak KiB of memory" test "$peak" -lt 20000
check "no name in the directory while it reads: $(ls -A "$DIR/tmp")" test -z "$(ls -A "$DIR/tmp")"
kill -KILL $s
wait $s 2>/dev/null
check "nor after it was killed" test -z "$(ls -A "$DIR/tmp")"
"$BUILD/meshctl" --state "$DIR/a" send b - --as late <"$DIR/data" >/dev/null 2>&1 &
s=$!
for _ in $(seq 100); do ctl b --json transfers ls | grep -q '"state":"offered"' && break; sleep 0.05; done
check "it is offered" grep -q '"state":"offered"' <<<"$(ctl b --json transfers ls)"
kill -KILL $s
wait $s 2>/dev/null
check "nothing in the directory after it was killed waiting" test -z "$(ls -A "$DIR/tmp")"

# No room for the copy.
if [ "$(id -u)" = 0 ] && mkdir "$DIR/small" && mount -t tmpfs -o size=1m tmpfs "$DIR/small" 2>/dev/null; then
    EXTRA_CLEANUP="umount $DIR/small"
    expect 9 "no room in $DIR/small.*TMPDIR" env TMPDIR="$DIR/small" "$BUILD/meshctl" --state "$DIR/a" send b - <"$DIR/data"
    check "nothing is left there" test -z "$(ls -A "$DIR/small")"
fi

expect 2 'as needs a value' state a send b "$DIR/data" --as ''

# Where to receive into is looked at when it is asked for, not when something comes.
touch "$DIR/file"
expect 2 'not a directory' state b recv --out "$DIR/file"
expect 4 'No such file' state b recv --out "$DIR/none/deep"
expect 2 'not a directory' state b accept 1 --out "$DIR/file"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    mkdir -m 711 "$DIR/mine"
    mkdir -m 700 "$DIR/n"
    chown 65534 "$DIR/n"
    chmod 711 "$DIR"
    as_nobody() { HOME=$DIR/n setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; }
    as_nobody /proc/self/fd/9 --state "$DIR/n" --listen 127.0.0.1:0 9<"$BUILD/meshd" >"$DIR/n.log" 2>&1 &
    PID[n]=$!
    for _ in $(seq 100); do [ -S "$DIR/n/control.sock" ] && break; sleep 0.05; done
    expect 1 'cannot write to .*/mine: Permission denied' as_nobody /proc/self/fd/9 --state "$DIR/n" recv --out "$DIR/mine" 9<"$BUILD/meshctl"
    expect 1 'cannot write to .*/mine: Permission denied' as_nobody /proc/self/fd/9 --state "$DIR/n" recv --out "$DIR/mine/new" 9<"$BUILD/meshctl"
fi
err=$(state b recv --out "$DIR/later/" --timeout 300ms 2>&1)
check "a directory that will be made is named: $err" grep -q "$DIR/later is not there yet" <<<"$err"
exit $FAILED
