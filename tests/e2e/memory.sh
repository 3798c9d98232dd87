#!/usr/bin/env bash
# After a pairing neither daemon's memory holds the ticket any more. Needs root, since daemons do not let themselves be looked into.
[ "$(id -u)" = 0 ] || { echo "skipped: needs root"; exit 77; }
. "$(dirname "$0")/lib.sh"
# Its lazy binding leaves vector registers on the stack.
nm "$BUILD/meshd" 2>/dev/null | grep -q __asan_init && { echo "skipped: not in a sanitizer build"; exit 77; }
start a
start b
copies() { "$BUILD/tests/e2e_memfind" "${PID[$1]}" "$DIR/needle" || echo unknown; }
# The search works: the path of the state directory is in there.
printf %s "$DIR/a" >"$DIR/needle"
check "the search finds what is there" test "$(copies a)" -gt 0
ctl a ticket --name b >"$DIR/ticket"
tail -c 41 "$DIR/ticket" | tr -d '\n' >"$DIR/needle"
check "the issuer keeps no copy of the ticket, not $(copies a)" test "$(copies a)" = 0
ctl b contact add a - <"$DIR/ticket" >/dev/null
ctl b wait --for peer=a --timeout 20s >/dev/null
check "nor does its holder, not $(copies b)" test "$(copies b)" = 0
exit $FAILED
