#!/usr/bin/env bash
# A machine whose address changes tells its peers at once, and the session goes on; it is told once, however many steps the change
# takes. Two network namespaces of its own, where addresses may be taken away.
if [ "${MOVES_INSIDE:-}" != 1 ]; then
    command -v ip >/dev/null && command -v nsenter >/dev/null || { echo "skipped: ip or nsenter is not installed"; exit 77; }
    unshare -rn true 2>/dev/null || { echo "skipped: no namespaces here"; exit 77; }
    MOVES_INSIDE=1 exec unshare -rn bash "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
unshare -n sleep 300 &
PID[place]=$!
for ((i = 0; i < 50; i++)); do # until it is in there
    [ "$(readlink "/proc/${PID[place]}/ns/net")" = "$(readlink /proc/self/ns/net)" ] || break
    sleep 0.05
done
there() { nsenter -t "${PID[place]}" -n "$@"; }
ip link add here type veth peer name there netns "${PID[place]}" || { echo "skipped: no veth here"; exit 77; }
ip link set lo up
ip addr add 10.9.0.1/16 dev here
ip link set here up
there ip link set lo up
there ip addr add 10.9.0.2/16 dev there
there ip link set there up
for ((i = 0; i < 100; i++)); do # a veth has a carrier only after a while
    there ip -o link show there | grep -q 'state UP' && ip -o link show here | grep -q 'state UP' && break
    sleep 0.1
done
# Who is not told by the system looks every ten seconds, and sees what is together only if it does not look in between.
told=1 settle_s=1.5 limit_ms=5000
is_portable && { told=0 settle_s=11 limit_ms=15000; }
now_ms() { date +%s%3N; }
mkdir -m 700 "$DIR/a" "$DIR/b"
"$BUILD/meshd" --state "$DIR/a" --listen 0.0.0.0:4001 2>>"$DIR/a.log" &
PID[a]=$!
nsenter -t "${PID[place]}" -n "$BUILD/meshd" --state "$DIR/b" --listen 0.0.0.0:4002 2>>"$DIR/b.log" &
PID[b]=$!
ctl a wait --for ready --timeout 20s && ctl b wait --for ready --timeout 20s || exit 1
pair a b
path() { ctl a --json peers | grep -oE '"path":"[0-9.:]+"' | cut -d'"' -f4; }
said() { grep -c 'the network has changed' "$DIR/b.log"; }
sleep 2
check "it begins at the first address" test "$(path)" = 10.9.0.2:4002
before=$(said)
printf 'addr add 10.9.0.%s/32 dev there\n' 3 4 5 | there ip -batch - # in steps, which a busy machine does not draw out
sleep "$settle_s"
[ "$told" = 1 ] && check "what happens together is told once" test "$(said)" = $((before + 1))
[ "$told" = 1 ] || check "what has happened is told" test "$(said)" -gt "$before"
# follows FROM TO: b's address is taken away, and another is there
follows() {
    local from
    from=$(now_ms)
    there ip addr del "10.9.0.$1/$2" dev there
    there ip addr add "10.9.0.$3/16" dev there
    while [ "$(path)" != "10.9.0.$3:4002" ] && [ $(($(now_ms) - from)) -lt "$limit_ms" ]; do sleep 0.05; done
    echo "a has followed to $(path) after $(($(now_ms) - from)) ms"
    check "a has followed b" test "$(path)" = "10.9.0.$3:4002"
}
for i in 3 4 5; do there ip addr del "10.9.0.$i/32" dev there; done
sleep "$settle_s"
follows 2 16 12
follows 12 16 13
check "in the same session" test "$(grep -c '"b" is offline' "$DIR/a.log")" = 0
check "and reaches it" ctl a ping b -c 1
exit $FAILED
