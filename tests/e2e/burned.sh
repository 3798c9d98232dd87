#!/usr/bin/env bash
# What a ticket was made of is nowhere any more, in no file of a state directory and in no daemon's memory: after it was burned unused, and
# after the pairing that it made has been used once. Memory is looked at as root only.
. "$(dirname "$0")/lib.sh"
nm "$BUILD/meshd" 2>/dev/null | grep -q __asan_init && SANITIZED=1
start a
start b
needles() { # TICKET-FILE: its secret and its psk, raw
    "$BUILD/tests/e2e_ticket" "$1" secret >"$DIR/secret" && "$BUILD/tests/e2e_ticket" "$1" psk >"$DIR/psk"
}
in_files() { # NAME NEEDLE: the files that hold it
    local f
    for f in "$DIR/$1"/meshd.db*; do
        "$BUILD/tests/e2e_find" "$f" "$DIR/$2" && echo "$f"
    done
}
# within SECONDS command...: the daemon scrubs behind the answer.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}
no_files() { [ -z "$(in_files "$1" psk)$(in_files "$1" secret)" ]; }
no_memory() {
    [ "$(id -u)" = 0 ] && [ -z "${SANITIZED:-}" ] || return 0
    [ "$("$BUILD/tests/e2e_memfind" "${PID[$1]}" "$DIR/psk")$("$BUILD/tests/e2e_memfind" "${PID[$1]}" "$DIR/secret")" = 00 ]
}

ctl a ticket --name zed >"$DIR/ticket"
needles "$DIR/ticket" || exit 1
check "the search finds an open ticket" test -n "$(in_files a psk)"
ctl a contact rm zed
check "a burned ticket is in no file, not in $(in_files a psk)" within 10 no_files a
check "nor in memory" no_memory a

ctl a ticket --name b >"$DIR/ticket"
needles "$DIR/ticket" || exit 1
ctl b contact add a - <"$DIR/ticket" >/dev/null
ctl b wait --for peer=a --timeout 20s >/dev/null
check "both have it until the pairing has been used" test -n "$(in_files a psk)" -a -n "$(in_files b psk)"
stop b
start b
ctl b wait --for peer=a --timeout 20s >/dev/null
ctl b ping a -c 1 >/dev/null
for who in a b; do
    check "$who: a used ticket is in no file, not in $(in_files $who psk)" within 10 no_files $who
    check "$who: nor in memory" no_memory $who
done
exit $FAILED
