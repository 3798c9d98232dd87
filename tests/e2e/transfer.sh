#!/usr/bin/env bash
# Files and messages between two real nodes, by the Linux edge and by the portable one.
. "$(dirname "$0")/lib.sh"
for udp in auto portable; do
    start a$udp --udp $udp
    start b$udp --udp $udp
    pair a$udp b$udp
    in=$DIR/in-$udp out=$DIR/out-$udp
    mkdir "$in" "$out"
    head -c 20000000 /dev/urandom >"$in/big"
    : >"$in/empty"
    printf x >"$in/x"
    printf 'with spaces' >"$in/a b ü"
    ctl b$udp recv --out "$out" >/dev/null 2>&1 &
    receiver=$!
    result=$(ctl a$udp --json send b$udp "$in"/*) || { echo "FAILED: send ($udp)"; FAILED=1; }
    check "result names the bytes: $result" grep -q '"bytes":20000012' <<<"$result"
    check "copies are equal ($udp)" diff -r "$in" "$out"
    kill $receiver; wait $receiver 2>/dev/null
    check "message there" ctl a$udp msg b$udp "hello from a"
    check "message back" ctl b$udp msg a$udp "hello from b"
    check "listed once" test "$(ctl b$udp msgs | grep -c 'hello from a')" = 1
    check "listed at the sender" test "$(ctl b$udp msgs --with a$udp | grep -c hello)" = 2
    check "ping" ctl a$udp ping b$udp -c 1
    stop a$udp; stop b$udp
done
exit $FAILED
