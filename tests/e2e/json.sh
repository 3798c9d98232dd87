#!/usr/bin/env bash
# Every command's --json has exactly the keys, of the types, that docs/CONTROL.md promises; and one object it is.
. "$(dirname "$0")/lib.sh"
DOC=$(cd "$(dirname "$0")/../.." && pwd)/docs/CONTROL.md
# keeps COMMAND [EVENT]: standard input is what CONTROL.md promises.
keeps() {
    local text why
    text=$(cat)
    why=$("$BUILD/tests/e2e_promise" "$DOC" "$@" <<<"$text") || { echo "FAILED: $why"; FAILED=1; }
}
number() { grep -oE '"id":[0-9]+' | tail -1 | cut -d: -f2; }
offered() { for _ in $(seq 100); do ctl b transfers ls | grep offered | awk '{print $1}' | tail -1 | grep . && break; sleep 0.05; done; }
start a
start b
ctl a --json events >"$DIR/events" 2>/dev/null &
PID[events]=$!
ctl a --json id | keeps id
ctl a --json status | keeps status
ctl a --json wait --for ready | keeps wait
ctl b --json ticket --name a >"$DIR/ticket"
keeps ticket <"$DIR/ticket"
grep -oE 'meshticket1[a-z0-9]+' "$DIR/ticket" | ctl a --json contact add b - | keeps 'contact add'
ctl a --json wait --for peer=b | keeps wait
ctl b --json wait --for contact=a | keeps wait
ctl a --json contact ls | keeps 'contact ls'
ctl a --json peers | keeps peers
ctl a --json ping b -c 2 | keeps ping
ctl a --json msg b hello | keeps msg
ctl b --json msgs | keeps msgs
ctl b --json msgs --with a --delete | keeps 'msgs --delete'
ctl a --json contact rename b bob | keeps 'contact rename'
ctl a --json contact rename bob b | keeps 'contact rename'
ctl a --json contact path b direct_only | keeps 'contact path'
ctl a --json contact path b default | keeps 'contact path'
printf content >"$DIR/f"
mkdir "$DIR/out"
ctl b --json recv --out "$DIR/out" --once >"$DIR/recv" &
receiver=$!
sleep 0.3
ctl a --json send b "$DIR/f" | keeps send
wait $receiver
keeps recv <"$DIR/recv"
ctl a --json transfers ls | keeps 'transfers ls'
ctl a --json transfers show "$(ctl a --json transfers ls | number)" | keeps 'transfers show'
ctl a --json send b "$DIR/f" --detach | keeps send
ctl b --json reject "$(offered)" | keeps reject
# By hand: accepted, rejected, cancelled.
rm "$DIR/out/f"
ctl a --json send b "$DIR/f" >"$DIR/send" &
sender=$!
ctl b --json accept "$(offered)" --out "$DIR/out" | keeps accept
wait $sender
keeps send <"$DIR/send"
ctl a --json send b "$DIR/f" >"$DIR/send" 2>/dev/null &
sender=$!
ctl b --json reject "$(offered)" | keeps reject
wait $sender
keeps send <"$DIR/send"
ctl a --json send b "$DIR/f" >/dev/null 2>&1 &
sender=$!
offered >/dev/null
ctl a --json cancel "$(ctl a --json transfers ls | number)" | keeps cancel
wait $sender
# Failures, of every part: the daemon's, meshctl's own, no daemon.
ctl a --json msg nobody x 2>/dev/null | keeps any
ctl a --json transfers ls --out x 2>/dev/null | keeps any
ctl nobody --json status 2>/dev/null | keeps any
ctl a --json contact rm b | keeps 'contact rm'
sleep 0.5
seen=0
while read -r line; do
    kind=$(grep -oE '"event":"[a-z.]+"' <<<"$line" | cut -d'"' -f4)
    keeps events "$kind" <<<"$line"
    seen=$((seen + 1))
done <"$DIR/events"
check "events came ($seen)" test $seen -gt 8
for kind in contact.added contact.renamed peer.up message.delivered pong transfer.started transfer.done transfer.failed contact.removed; do
    check "the event $kind came" grep -q "\"event\":\"$kind\"" "$DIR/events"
done
exit $FAILED
