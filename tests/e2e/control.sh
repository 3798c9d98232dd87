#!/usr/bin/env bash
# The daemon and its socket from outside: who gets in, what leaks, what ends it.
. "$(dirname "$0")/lib.sh"
root() { [ "$(id -u)" = 0 ]; }
as_nobody() { HOME=$DIR/n setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; }
chmod 711 "$DIR"
start a
start b
pair a b

# The socket and the files are their owner's only.
check "the socket's mode is 600" test "$(stat -c %a "$DIR/a/control.sock")" = 600
for f in identity meshd.db lock; do check "$f is 600" test "$(stat -c %a "$DIR/a/$f")" = 600; done

# No core dumps, no tracing: not even by the same user.
check "no core file" grep -qE '^Max core file size +0 +0 ' "/proc/${PID[a]}/limits"
if root && command -v setpriv >/dev/null; then
    mkdir -m 700 "$DIR/n"
    chown 65534 "$DIR/n"
    # The build folder may be closed to others: the file is opened here.
    as_nobody "/proc/self/fd/9" --state "$DIR/n" --listen 127.0.0.1:0 9<"$BUILD/meshd" >"$DIR/n.log" 2>&1 &
    PID[n]=$!
    for _ in $(seq 100); do [ -S "$DIR/n/control.sock" ] && break; sleep 0.05; done
    if [ -S "$DIR/n/control.sock" ]; then
        check "another process of its user cannot look into it" test -z "$(as_nobody cat "/proc/${PID[n]}/environ" 2>/dev/null)"
        # Root does not talk to somebody else's daemon by mistake.
        expect 7 'another user' ctl n status
        stop n
    else
        echo "not checked as another user: $(tail -1 "$DIR/n.log")"
    fi
    # The mode lets others in, the kernel's word on who they are does not.
    chmod 711 "$DIR/a"
    chmod 666 "$DIR/a/control.sock"
    answer=$(printf '\x94\x00\x01\xa2id\x80' | as_nobody /proc/self/fd/9 "$DIR/a/control.sock" 9<"$BUILD/tests/e2e_unixcat" | wc -c)
    check "another user gets no answer, not $answer bytes" test "$answer" = 0
    check "and that is logged" grep -q 'refused a client of another user' "$DIR/a.log"
    chmod 600 "$DIR/a/control.sock"
    chmod 700 "$DIR/a"
fi
answer=$(printf '\x94\x00\x01\xa2id\x80' | "$BUILD/tests/e2e_unixcat" "$DIR/a/control.sock" | wc -c)
check "its own user gets one" test "$answer" -gt 60

# Somebody else's directory: meshd does not serve there, meshctl sends nothing there.
if root; then
    mkdir -m 755 "$DIR/theirs"
    chown 65534 "$DIR/theirs"
    mkdir -m 700 "$DIR/c"
    expect 1 'others can replace' "$BUILD/meshd" --state "$DIR/c" --socket "$DIR/theirs/c.sock" --listen 127.0.0.1:0
    expect 7 'another user' "$BUILD/meshctl" --socket "$DIR/theirs/c.sock" contact add bob - <<<meshticket1secret
fi

# A database or directory that others can read.
mkdir -m 700 "$DIR/d"
"$BUILD/meshd" --state "$DIR/d" --listen 127.0.0.1:0 >"$DIR/d.log" 2>&1 &
PID[d]=$!
ctl d wait --for ready --timeout 20s
stop d
chmod 644 "$DIR/d/meshd.db"
expect 1 "chmod 600 '$DIR/d/meshd.db'" "$BUILD/meshd" --state "$DIR/d" --listen 127.0.0.1:0
chmod 600 "$DIR/d/meshd.db"
chmod 755 "$DIR/d"
expect 1 "chmod 700 '$DIR/d'" "$BUILD/meshd" --state "$DIR/d" --listen 127.0.0.1:0
chmod 700 "$DIR/d"

# Descriptors 0, 1 and 2 closed: the log lands nowhere, least of all in a file of ours.
"$BUILD/meshd" --state "$DIR/d" --listen 127.0.0.1:0 <&- >&- 2>&- &
PID[d]=$!
ctl d wait --for ready --timeout 20s
check "the lock holds a process id only: $(cat "$DIR/d/lock")" test "$(cat "$DIR/d/lock")" = "${PID[d]}"
for fd in 0 1 2; do check "descriptor $fd is /dev/null" test "$(readlink "/proc/${PID[d]}/fd/$fd")" = /dev/null; done
check "meshctl without descriptors" test "$("$BUILD/meshctl" --socket "$DIR/d/control.sock" status <&- >&- 2>&-; echo $?)" = 0
stop d

# --follow prints what comes, once each, until interrupted.
ctl a msg b before >/dev/null
"$BUILD/meshctl" --socket "$DIR/b/control.sock" msgs --follow >"$DIR/follow" 2>/dev/null &
follower=$!
for _ in $(seq 100); do grep -q before "$DIR/follow" && break; sleep 0.05; done
for i in 1 2 3; do ctl a msg b "text $i" >/dev/null; done
for _ in $(seq 100); do grep -q 'text 3' "$DIR/follow" && break; sleep 0.05; done
check "--follow: $(cat "$DIR/follow")" test "$(sed -E 's/^.*from a: //' "$DIR/follow" | tr '\n' ,)" = "before,text 1,text 2,text 3,"
kill -INT $follower
wait $follower
rc=$?
check "interrupted: 130, not $rc" test $rc = 130
check "control characters of a peer are shown, not obeyed" test -z "$(ctl a msg b "$(printf 'x\033[31my')" >/dev/null; ctl b msgs | tr -d '\040-\176\n')"

# A message is shown as it was written, and no line of it passes for one of ours.
text=$(printf 'one\n999  2026-11-21 14:05:09  from a: two\n\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9 \xe2\x80\xaeevil')
ctl a msg b - <<<"$text" >/dev/null
ctl b msgs | tail -3 >"$DIR/shown"
check "the first line" grep -qE '^[0-9]+  [0-9: -]+  from a: one$' "$DIR/shown"
check "the second is indented" grep -qx '    999  2026-11-21 14:05:09  from a: two' "$DIR/shown"
check "emoji as emoji, an override as an escape" grep -qx "$(printf '    \xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9 \\\\u{202e}evil')" "$DIR/shown"
check "JSON has it as it was" grep -qiF '\ud83d\udc68\u200d\ud83d\udc69 \u202eevil' <<<"$(ctl b --json msgs)"

# SIGINT is an orderly end, as SIGTERM.
kill -INT "${PID[b]}"
wait "${PID[b]}"
rc=$?
unset 'PID[b]'
check "SIGINT: 0, not $rc" test $rc = 0
check "the socket is gone" test ! -e "$DIR/b/control.sock"
check "it said so" grep -q stopped "$DIR/b.log"
exit $FAILED
