#!/usr/bin/env bash
# What the user is told of relays and ways: by status, peers, relays, contact ls, ping, errors, events and the log, when all is well,
# when a relay has another key, does not answer, or is this node itself, and when the policy rules out the only way.
. "$(dirname "$0")/lib.sh"
id_of() { ctl "$1" --json id | grep -oE 'mesh1[a-z0-9]+'; }
soon() { for _ in $(seq 150); do "$@" && return; sleep 0.1; done; return 1; }
says() { grep -qE -- "$2" <<<"$(ctl $1)"; }
logs() { grep -qE -- "$2" "$DIR/$1.log"; }
NOBODY=mesh1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqswqwm2a

start r --serve-relay
PORT=$(cat "$DIR/r/port") RID=$(id_of r)
R="127.0.0.1:$PORT#$RID"
check "a relay says in its log that it is one" logs r 'info  this node serves as a relay'
check "and in its status" says "r status" '^relay +serves others: 0 use it now$'
check "a node without relays says so" says "r status" '^relays +none known$'

printf '[path]\npolicy = relay_only\n' >"$DIR/only.conf"
for who in a b; do
    start $who --config "$DIR/only.conf" --relay "$R"
    check "$who is reached" soon says "$who status" '^relays +reached through 1 of 1 known$'
done
check "sessions with relays are no contacts" says "a status" '^contacts +0, 0 online$'
check "nor are those who use one" says "r status" '^contacts +0, 0 online$'
check "who counts them" says "r status" '^relay +serves others: 2 use it now$'
pair a b
check "a contact is" says "a status" '^contacts +1, 1 online$'
check "the log says by which way it is online" logs a "\"b\" is online at relay 127.0.0.1:$PORT\$"

# ---- a relay that starts again: no way has changed that anybody could tell
ctl a events >"$DIR/events" 2>/dev/null & PID[events]=$!
sleep 0.3
stop r KILL
start r --serve-relay
check "a message goes through it again" ctl a msg b again --timeout 30s
sleep 0.3
for who in a b; do check "$who tells of no change from a relay to itself" test "$(grep -c 'is now reached at' "$DIR/$who.log")" = 0; done
check "nor is there such an event" test "$(grep -c 'path.changed' "$DIR/events")" = 0
stop events
check "nor has the relay refused anybody" test "$(cat "$DIR"/[ab].log | grep -c 'does not serve this node')" = 0
check "nothing says that the user asked for it" test "$(cat "$DIR"/*.log "$DIR/events" | grep -c 'the user asked')" = 0

# ---- the policy rules out the only way
ctl a contact path b direct_only
check "contact ls says which policy is another one's" says "a contact ls" '^b .*direct_only'
expect 6 'cannot be reached.*; see why: meshctl .*peers; ' ctl a ping b -c 1
check "peers says why" says "a peers" '^b +offline .*direct_only: .*relays are ruled out$'
check "in JSON, too" says "a --json peers" '"why":"direct_only: '
ctl a contact path b default
check "and back" ctl a wait --for peer=b --timeout 20s >/dev/null
check "it is no more than a word that way" says "a peers" 'relay_only: nothing goes to or comes from its address$'

# ---- a relay that has another key; its ticket would lead nowhere
stop a
start a --config "$DIR/only.conf" --relay "127.0.0.1:$PORT#$NOBODY"
check "a wrong key names both" soon says "a relays" "#$NOBODY +wrong_key .*$RID"
check "it is no home" says "a relays" 'wrong_key +named '
check "in the log" logs a "error relay 127.0.0.1:$PORT is not used: its key is $RID, not $NOBODY"
expect 1 'none is known that a ticket could name; name one: ' ctl a ticket
stop a

# ---- one that does not answer; itself; and none named any more
CONF=$DIR/a.conf
printf '[relay]\nuse = 127.0.0.1:1#%s\n' "$NOBODY" >"$CONF"
start a --config "$CONF"
check "a relay that does not answer is in the log" soon logs a 'warn  relay 127.0.0.1:1 cannot be used now: it does not answer: it is off, '
check "once" test "$(grep -c 'warn  relay 127.0.0.1:1 ' "$DIR/a.log")" = 1
check "and why" says "a relays" 'silent .*it does not answer: it is off, its UDP port is closed, or it does not serve as a relay'
printf '[relay]\nuse = 127.0.0.1:1#%s\n' "$(id_of a)" >"$CONF"
kill -HUP "${PID[a]}"
check "itself is none" soon logs a "warn  relay 127.0.0.1:1#$(id_of a) is not used: it is this node itself"
printf '[path]\npolicy = relay_only\n' >"$CONF"
kill -HUP "${PID[a]}"
check "where none is named, a contact's will do" soon says "a relays" "^127.0.0.1:$PORT#$RID +reserved +home "
before=$(wc -l <"$DIR/a.log")
stop a
check "who ends has not lost its relay" test "$(tail -n "+$((before + 1))" "$DIR/a.log" | grep -c ' relay 127')" = 0

# ---- no relay at all
start c --config "$DIR/only.conf"
pair_late() { ctl r ticket --name c | ctl c contact add r - --timeout 0; }
pair_late
expect 6 'cannot be reached' ctl c ping r -c 1
check "relay_only without a relay says so" says "c peers" '^r +(offline|connecting) .*relay_only: no relay is known'
exit $FAILED
