#!/usr/bin/env bash
# What goes wrong has its documented exit code and a sentence that says what to do; nothing partial stands under a final name; both
# daemons live on.
. "$(dirname "$0")/lib.sh"
expect 3 'not running.*meshd' ctl nobody status
expect 2 'see.*help' "$BUILD/meshctl" frobnicate
start a
start b
ticket=$(ctl b ticket --name a)
ctl a contact add b - <<<"$ticket" >/dev/null
ctl a wait --for peer=b --timeout 20s >/dev/null
mkdir "$DIR/out"
printf 'content' >"$DIR/f"
head -c 300000000 /dev/zero >"$DIR/huge"

expect 4 'contact ls' ctl a send stranger "$DIR/f"
expect 4 'check the path|no such' ctl a send b "$DIR/missing"
expect 1 '.' ctl a send b "$DIR/out"
expect 2 'ticket' ctl a contact add c meshticket1qqqq

# The same contact once more is one more try to pair, and costs nothing that was there; a name that another node has, or a node that
# has another name, is refused.
expect 0 '^$' ctl a contact add b - <<<"$ticket"
expect 5 'already.*contact rename' ctl a contact add other - <<<"$(ctl b ticket)"
start c
expect 5 'already' ctl a contact add b - <<<"$(ctl c ticket)"
stop c
expect 5 'already' ctl b ticket --name a
ctl a ticket --name kept >/dev/null
expect 5 'open ticket' ctl a ticket --name kept
check "a is still paired after all that" ctl a ping b -c 1
expect 10 'timeout|longer' ctl a send b "$DIR/f" --timeout 1s

# A ticket that was used up is not good again, for nobody.
start c
ctl c contact add b - <<<"$ticket" >/dev/null
expect 7 '.' ctl c send b "$DIR/f"
stop c

# Rejected by hand.
(sleep 1; n=$(ctl b --json transfers ls | grep -oE '"id":[0-9]+' | tail -1 | cut -d: -f2); ctl b reject "$n" >/dev/null) &
expect 5 'refused|rejected' ctl a send b "$DIR/f"

# Name taken: refused, and what was there stays.
ctl b recv --out "$DIR/out" >/dev/null 2>&1 &
receiver=$!
printf 'mine' >"$DIR/out/f"
expect 5 'taken|exists' ctl a send b "$DIR/f"
check "the old file is untouched" test "$(cat "$DIR/out/f")" = mine
rm "$DIR/out/f"

# A file that cannot be read (root reads everything, so only for others).
if [ "$(id -u)" != 0 ]; then
    printf x >"$DIR/secret"; chmod 0 "$DIR/secret"
    expect 1 'permission' ctl a send b "$DIR/secret"
fi

# The receiver dies in mid-transfer.
ctl a send b "$DIR/huge" >/dev/null 2>"$DIR/err" &
sender=$!
for _ in $(seq 100); do ls -A "$DIR/out" | grep -q meshd && break; sleep 0.02; done
stop b KILL
kill $receiver 2>/dev/null; wait $receiver 2>/dev/null
wait $sender; rc=$?
check "killed receiver: sender gives 6, not $rc: $(cat "$DIR/err")" test $rc = 6
check "nothing under the final name" test ! -e "$DIR/out/huge"
check "the sender lives on" alive a
start b
check "left-overs are removed at the next start" test -z "$(ls -A "$DIR/out")"
ctl b recv --out "$DIR/out" >/dev/null 2>&1 &
receiver=$!
sleep 0.3
ctl a wait --for peer=b --timeout 20s >/dev/null 2>&1
check "the next transfer works" ctl a send b "$DIR/f"
check "and is whole" cmp "$DIR/f" "$DIR/out/f"

# The sender dies in mid-transfer.
ctl a send b "$DIR/huge" >/dev/null 2>&1 &
for _ in $(seq 100); do ls -A "$DIR/out" | grep -q part && break; sleep 0.02; done
stop a KILL
for _ in $(seq 400); do [ "$(ls -A "$DIR/out")" = f ] && break; sleep 0.1; done
check "nothing partial stays at the receiver: $(ls -A "$DIR/out")" test "$(ls -A "$DIR/out")" = f
check "the receiver lives on" alive b
kill $receiver 2>/dev/null; wait $receiver 2>/dev/null
start a

# Offline: a file cannot wait, a message can.
stop b
expect 6 'meshctl --socket [^ ]* wait --for peer=b$' ctl a send b "$DIR/f"
expect 6 'queue' ctl a msg b later --timeout 1s
start b
for _ in $(seq 200); do ctl b msgs | grep -q later && break; sleep 0.1; done
check "the queued message has come, once" test "$(ctl b msgs | grep -c later)" = 1

# One daemon per state directory; keys that others can read; settings.
expect 1 'already|lock|another|uses' "$BUILD/meshd" --state "$DIR/a" --socket "$DIR/second.sock" --listen 127.0.0.1:0
mkdir -m 700 "$DIR/open"; cp "$DIR/a/identity" "$DIR/open/identity"; chmod 644 "$DIR/open/identity"
expect 1 'chmod 600' "$BUILD/meshd" --state "$DIR/open" --listen 127.0.0.1:0
printf '[node]\nlog = info\n' >"$DIR/good.conf"; printf '[node]\nfoo = 1\n' >"$DIR/bad.conf"
expect 0 '' "$BUILD/meshd" -n --config "$DIR/good.conf"
expect 2 'foo' "$BUILD/meshd" -n --config "$DIR/bad.conf"

# Disk full: a file system of 8 MiB.
if [ "$(id -u)" = 0 ] && mkdir "$DIR/small" && mount -t tmpfs -o size=8m tmpfs "$DIR/small" 2>/dev/null; then
    EXTRA_CLEANUP="umount $DIR/small"
    ctl a wait --for peer=b --timeout 20s >/dev/null 2>&1
    ctl b recv --out "$DIR/small" >/dev/null 2>&1 &
    receiver=$!
    sleep 0.3
    expect 9 'full|space|quota' ctl a send b "$DIR/huge"
    check "nothing partial on the full disk" test -z "$(ls -A "$DIR/small")"
    kill $receiver; wait $receiver 2>/dev/null
fi

# An orderly end takes less than a second.
before=$(date +%s%N)
stop a
took=$((($(date +%s%N) - before) / 1000000))
check "SIGTERM took $took ms" test $took -lt 1000
check "b lives" alive b
exit $FAILED
