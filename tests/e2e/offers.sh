#!/usr/bin/env bash
# Who is asked for a yes sees to what; an offer ends with the meshctl that made it; and the list of transfers tells all that after a
# restart of either side, in the room that a terminal has.
. "$(dirname "$0")/lib.sh"
start a
start b
pair a b
mkdir "$DIR/out"
name=$'plan\n\e[31m.txt' # may not be sent, and is told without its power
printf x >"$DIR/$name"
printf 'secret plan' >"$DIR/plan.txt"
printf 'more' >"$DIR/漢字.txt"
head -c 5000 /dev/zero >"$DIR/zeros"
within() { # SECONDS command...: it succeeds by then
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.05; done
}
lists() { # NODE WORD...: one line of its list has all of them
    local who=$1 line
    shift
    line=$(ctl "$who" transfers ls)
    for word; do line=$(grep -F -- "$word" <<<"$line") || return 1; done
}

# Before the yes: names, sizes, total; in the list, by number, in events and JSON.
ctl b events >"$DIR/events" 2>/dev/null &
PID[events]=$!
sleep 0.5 # it has subscribed
ctl a send b "$DIR/plan.txt" "$DIR/漢字.txt" "$DIR/zeros" >"$DIR/sent" 2>&1 &
sender=$!
check "the offer is listed by name" within 10 lists b offered 'plan.txt and 2 more' '5.01 kB'
check "its event has the name" within 5 grep -q '"transfer.offered".*plan.txt' "$DIR/events"
ctl b transfers show 1 >"$DIR/shown"
for word in 'from a' offered '3 files, 5.01 kB (5015 bytes)' plan.txt 漢字.txt '5.00 kB'; do
    check "transfers show has: $word" grep -qF -- "$word" "$DIR/shown"
done
check "and JSON" grep -qE '"bytes":11,"name":"plan.txt"' <<<"$(ctl b --json transfers show 1)"
expect 0 'receiving plan.txt and 2 more, 5.01 kB .* from a' ctl b accept 1 --out "$DIR/out"
wait $sender
check "what was sent is named: $(cat "$DIR/sent")" grep -q '^sent plan.txt and 2 more, 5.01 kB .* to b$' "$DIR/sent"
expect 4 'transfers ls' ctl b transfers show 99

# What is shown of a peer's words is escaped, once.
expect 2 'of this name cannot be sent: "plan\\x0a\\x1b\[31m.*--as' ctl a send b "$DIR/$name"
mkdir "$DIR/2"
cp "$DIR/zeros" "$DIR/2"
expect 2 'same name: rename one' ctl a send b "$DIR/zeros" "$DIR/2/zeros"

# A meshctl that is killed takes its offer along, and the other side is told.
"$BUILD/meshctl" --socket "$DIR/a/control.sock" send b "$DIR/zeros" >/dev/null 2>&1 &
sender=$!
check "it is offered" within 10 lists b offered zeros
kill -KILL $sender
wait $sender 2>/dev/null
check "it ends here" within 5 lists a failed zeros cancelled
check "and there" within 5 lists b failed zeros cancelled
# One that was let go of does not.
check "detached" ctl a send b "$DIR/zeros" --detach 2>/dev/null
check "it waits" within 10 lists b offered zeros
sleep 0.5
check "it still waits" lists b offered zeros

# Both die, one in good order: the list is the same, but for what was under way.
ended=$(ctl b transfers ls | grep -v offered)
stop a KILL
stop b
start a
start b
check "a tells what was cut short" lists a failed zeros 'meshd was ended'
check "b does, too" lists b failed zeros 'meshd was ended'
check "what had ended before is told as before" test "$(ctl b transfers ls | grep -v 'meshd was ended' | tr -s ' ')" = "$(tr -s ' ' <<<"$ended")"
check "names, too" grep -qF 漢字.txt <<<"$(ctl b transfers show 1)"
before=$(ctl a --json transfers ls | grep -oE '"id":[0-9]+' | tail -1 | cut -d: -f2)
ctl a wait --for peer=b --timeout 20s >/dev/null
number=$(ctl a send b "$DIR/zeros" --detach 2>&1 | grep -oE 'transfer [0-9]+' | cut -d' ' -f2)
check "no number is given again: $number after $before" test "$number" -gt "$before"

# No line is wider than the terminal; and what no terminal reads is never shortened.
long=$(printf 'long%.0s' $(seq 50)).txt
printf x >"$DIR/$long"
check "detached" ctl a send b "$DIR/$long" --detach 2>/dev/null
check "a pipe gets the whole name" within 10 lists b "$long"
if command -v script >/dev/null; then
    for columns in 40 60 100 200; do
        script -qc "stty cols $columns; '$BUILD/meshctl' --socket '$DIR/b/control.sock' transfers ls 2>/dev/null" /dev/null </dev/null |
            tr -d '\r' >"$DIR/narrow"
        widest=$(LC_ALL=C.UTF-8 wc -L <"$DIR/narrow")
        check "$columns columns hold it: $widest" test "$widest" -le "$columns"
        check "and it is shown" grep -q 'long.*…' "$DIR/narrow"
    done
fi
exit $FAILED
