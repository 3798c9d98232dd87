#!/usr/bin/env bash
# What meshctl prints has come out, or it says that it has not: on a full disk, and where standard output is closed. A ticket's file is
# for its owner alone, whole or not there, and a ticket that nobody got is taken back.
. "$(dirname "$0")/lib.sh"
[ -c /dev/full ] || exit 77
start a
start b

# lost WORD command...: exit code 1 and a sentence, with a full disk behind standard output and with none.
lost() {
    local word=$1 err rc
    shift
    for out in full closed; do
        if [ $out = full ]; then err=$("$@" 2>&1 >/dev/full); else err=$("$@" 2>&1 >&-); fi
        rc=$?
        [ $rc = 1 ] && grep -qE "$word" <<<"$err" || { echo "FAILED: $*, $out: $rc: $err"; FAILED=1; }
    done
}
pair a b
ctl b msg a hello >/dev/null
for command in id status ticket "ticket --name n" "contact ls" peers "transfers ls" msgs "ping b -c 1" --help --version; do
    lost 'standard output' ctl a $command
done
for command in id status ticket "ticket --name n" "contact ls" peers "transfers ls" msgs "ping b -c 1" --version "wait --for ready" \
    "contact rename b b" "msg b hi"; do
    lost 'standard output' ctl a --json $command
done
check "nothing to print is no failure" ctl a wait --for ready >&-
check "the name of a ticket that nobody got is free" ctl a ticket --name n >/dev/null

# ---- ticket --out ----
umask 000
mkdir "$DIR/t"
expect 0 '^$' ctl a ticket --out "$DIR/t/one"
check "only its owner can read it" test "$(stat -c %a "$DIR/t/one")" = 600
check "nothing goes to standard output" test -z "$(ctl a ticket --out "$DIR/t/two")"
before=$(cat "$DIR/t/one")
expect 5 'there already' ctl a ticket --out "$DIR/t/one" --name x
check "what was there stays" test "$(cat "$DIR/t/one")" = "$before"
ln -s "$DIR/t/nowhere" "$DIR/t/link"
expect 5 'there already' ctl a ticket --out "$DIR/t/link" --name x
check "no link is followed" test ! -e "$DIR/t/nowhere"
expect 4 'No such' ctl a ticket --out "$DIR/missing/ticket" --name x
expect 2 'usable' ctl a ticket --out "$DIR/t/three" --name a/b
check "nothing else is left" test "$(ls -A "$DIR/t" | xargs)" = "link one two"
check "its name is free after all that" ctl a ticket --name x --out "$DIR/t/three"
# Ended while it waits for meshd: nothing of it stays there.
mkdir "$DIR/ended"
kill -STOP "${PID[a]}"
deaths="PIPE KILL"
is_portable && deaths= && echo "skipped: files without a name, which go with whoever is killed"
for signal in INT TERM HUP $deaths; do
    "$BUILD/meshctl" --socket "$DIR/a/control.sock" ticket --out "$DIR/ended/ticket" 2>/dev/null & PID[ended]=$!
    for _ in $(seq 200); do readlink "/proc/${PID[ended]}/fd"/* | grep -q "$DIR/ended/" && break; sleep 0.02; done
    stop ended $signal
    check "nothing is left after $signal" test -z "$(ls -A "$DIR/ended")"
done
kill -CONT "${PID[a]}"
check "JSON names the file" grep -q '"out":"'"$DIR/t/four"'"' <<<"$(ctl a --json ticket --out "$DIR/t/four")"
expect 5 'an open ticket keeps the name "x".*contact rm NAME; choose another name$' ctl a ticket --name x
expect 5 'a contact has that name already: "b"; choose another name$' ctl a ticket --name b
start c
expect 0 '^$' ctl c contact add a --file "$DIR/t/three"
check "it pairs" ctl a wait --for peer=x --timeout 20s
chmod 644 "$DIR/t/one"
expect 0 'others on this computer' ctl c contact add a --file "$DIR/t/one"
(umask 022; ctl a ticket >"$DIR/t/five" 2>"$DIR/err")
check "a file that others can read is not silent" grep -q 'ticket --out' "$DIR/err"

if [ "$(id -u)" = 0 ] && mkdir "$DIR/small" && mount -t tmpfs -o size=16k tmpfs "$DIR/small" 2>/dev/null; then
    EXTRA_CLEANUP="umount $DIR/small"
    head -c 16384 /dev/zero >"$DIR/small/full" 2>/dev/null
    expect 9 'space' ctl a ticket --name y --out "$DIR/small/ticket"
    check "a full disk keeps nothing of it" test "$(ls -A "$DIR/small")" = full
    check "and the ticket is taken back" ctl a ticket --name y --out "$DIR/t/six"
fi
exit $FAILED
