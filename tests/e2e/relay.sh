#!/usr/bin/env bash
# A relay of one's own: two nodes that may not use each other's addresses pair by ticket through it, send a file and a message, find
# each other again when it was killed and started again; and another node at its address is found out.
. "$(dirname "$0")/lib.sh"
id_of() { ctl "$1" --json id | grep -oE 'mesh1[a-z0-9]+'; }
start r --serve-relay
R="127.0.0.1:$(cat "$DIR/r/port")#$(id_of r)"
printf '[path]\npolicy = relay_only\n' >"$DIR/only.conf"
for who in a b; do start $who --config "$DIR/only.conf" --relay "$R"; done

until_home() { # NAME SECONDS
    for ((i = 0; i < $2 * 10; i++)); do
        ctl "$1" --json relays | grep -q '"state": *"reserved"' && return
        sleep 0.1
    done
    return 1
}
for who in a b; do check "$who is at home at its relay" until_home $who 5; done
check "relays says so" grep -qE 'reserved +home' <<<"$(ctl a relays)"

pair a b
check "by way of the relay" grep -qE '"via": *"relay"' <<<"$(ctl a --json peers)"
check "and says why" grep -q 'relay_only' <<<"$(ctl a --json peers)"
check "ping says so" grep -q 'path: relay' <<<"$(ctl a ping b -c 1)"

head -c 50000000 /dev/urandom >"$DIR/file"
mkdir "$DIR/in"
ctl b recv --once --out "$DIR/in" >/dev/null &
receiving=$!
check "50 MB go through it" ctl a send b "$DIR/file"
wait $receiving
check "and are the same" cmp "$DIR/file" "$DIR/in/file"
check "a message is delivered" ctl a msg b hello --timeout 10s
forwarded() { ctl r --json status | grep -oE '"relay_serving_forwarded_bytes": *[0-9]+' | grep -oE '[0-9]+$'; }
check "the relay has forwarded them" test "$(forwarded)" -gt 50000000
check "nothing of it is on its disk" test "$(du -sk "$DIR/r" | cut -f1)" -lt 2000

stop r KILL
start r --serve-relay
for who in a b; do check "$who is at home again" until_home $who 60; done
check "and a message is delivered" ctl a msg b again --timeout 30s

# Its address, and another node there.
stop r
rm -r "$DIR/r/"*.key "$DIR/r/"*.db* 2>/dev/null
mv "$DIR/r" "$DIR/r.old"
mkdir -m 700 "$DIR/r"
cp "$DIR/r.old/port" "$DIR/r/"
start r --serve-relay
wrong() { ctl a --json relays | grep -q '"state": *"wrong_key"'; }
for ((i = 0; i < 300; i++)); do
    wrong && break
    sleep 0.2
done
check "a wrong key is told" wrong
said=$(ctl a --json relays)
check "with the one that was expected" grep -q "${R#*#}" <<<"$said"
check "and the one that is there" grep -q "$(id_of r)" <<<"$said"
check "and it is in the log" grep -q "$(id_of r)" "$DIR/a.log"
exit $FAILED
