#!/usr/bin/env bash
# A recorded first handshake message, replayed 10^5 times at a responder that has no memory of it: no session, no growth, and never
# more bytes back than came in.
. "$(dirname "$0")/lib.sh"
tool=$BUILD/tests/e2e_replay
start b
ticket=$(ctl b ticket --name a)
stop b
port=$(cat "$DIR/b/port")
"$tool" record "$port" "$DIR/msg" &
recorder=$!
start a
ctl a contact add b - <<<"$ticket" >/dev/null
check "a message was recorded" wait $recorder
stop a KILL
start b
"$tool" send "$port" "$DIR/msg" 1000 >/dev/null # memory that is used once
before=$(rss_kib b)
read -r sent back largest < <("$tool" send "$port" "$DIR/msg" 100000)
after=$(rss_kib b)
status=$(ctl b --json status)
echo "sent $sent B, back $back B (largest $largest), RSS $before -> $after KiB"
check "something was sent" test "$sent" -gt 1000000
check "no session" grep -q '"sessions":0' <<<"$status"
check "half open at most once" grep -qE '"half_open":[01][,}]' <<<"$status"
check "replies are no larger than what was sent" test "$back" -le "$sent"
check "no reply is larger than the message" test "$largest" -le 288
limit=2048
nm "$BUILD/meshd" 2>/dev/null | grep -q __asan_init && limit=100000
check "memory is flat" test $((after - before)) -lt $limit
exit $FAILED
