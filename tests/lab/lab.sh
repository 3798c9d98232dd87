# lab.sh: hosts, homes behind NATs, relays and nodes in network namespaces. Sourced with the build directory as $1; what it makes goes when
# the test ends, however it does. The world is a router: 198.18.N.2 is what host or home N has there. Nodes are real meshd processes.
skip() { echo "skipped: $*"; exit 77; }
[ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] || skip "root on Linux is needed"
for tool in ip nft nsenter ${LAB_NEEDS:-}; do command -v "$tool" >/dev/null || skip "$tool is needed"; done
[ -e /dev/net/tun ] || skip "/dev/net/tun is needed"
nm "$1/meshd" 2>/dev/null | grep -q __asan_init && skip "not in a sanitizer build"
[ -n "${LAB_WITHOUT_RELAYS:-}" ] || { "$1/meshd" --help | grep -q -e --serve-relay && "$1/meshctl" relays --help >/dev/null 2>&1; } ||
    skip "this meshd knows nothing of relays"
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/../bench/veth.sh"
# Figures are of the nodes and not of what else the machine does.
renice -n -10 -p $$ >/dev/null 2>&1 || true
LAB=ml$$
lab_clear() {
    local ns
    for ns in $(ip netns list | grep -oE "^$LAB-[a-z0-9]+"); do
        ip netns pids "$ns" 2>/dev/null | xargs -r kill -9 2>/dev/null
        ip netns del "$ns" 2>/dev/null
    done
    return 0
}
EXTRA_CLEANUP=lab_clear
lab_die() { echo "FAILED: $*"; FAILED=1; exit 1; }
inside() { # HOST command...
    local ns=$LAB-$1
    shift
    ip netns exec "$ns" "$@"
}
lab_ns() { # NAME
    ip netns add "$LAB-$1" 2>/dev/null || skip "no namespaces here"
    ip -n "$LAB-$1" link set lo up
    inside "$1" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
        ! cd /proc/sys/net/ipv6/conf/default || { echo 0 >router_solicitations; echo 0 >accept_dad; }'
}
lab_world() {
    lab_ns world
    inside world nft add table ip lab || skip "nftables does not work here"
    inside world nft add chain ip lab forward '{ type filter hook forward priority 0; }' || lab_die "nft in the world"
}
# lab_host NAME N [DELAY RATE]: a host at 198.18.N.2; with a delay (one way) and a rate the link is emulated (tests/bench/linkem).
lab_host() {
    lab_ns "$1"
    lab_link "$@"
    ip -n "$LAB-$1" route add default via "198.18.$2.1"
}
# lab_link NAME N [DELAY RATE]: the host has this link and address, too; what it sends from there goes by it.
lab_link() {
    local name=$1 n=$2
    if [ $# -gt 2 ]; then
        "$BUILD/tests/linkem" --ns "$LAB-$name" "$LAB-world" --addr "198.18.$n.2/24" "198.18.$n.1/24" --rate "$4" --delay "$3" \
            --buffer 100ms --dev "link$n" >"$DIR/linkem-$n.log" 2>&1 &
        PID[linkem-$n]=$!
        lab_until 10 "the link of $name" grep -q ready "$DIR/linkem-$n.log"
    else
        ip link add "link$n" netns "$LAB-$name" type veth peer name "link$n" netns "$LAB-world"
        ip -n "$LAB-$name" addr add "198.18.$n.2/24" dev "link$n"
        ip -n "$LAB-world" addr add "198.18.$n.1/24" dev "link$n"
        ip -n "$LAB-world" link set "link$n" up
        ip -n "$LAB-$name" link set "link$n" up
    fi
    ip -n "$LAB-$name" route add default via "198.18.$n.1" table "$((100 + n))"
    ip -n "$LAB-$name" rule add from "198.18.$n.2" table "$((100 + n))"
}
# lab_home NAME N [DELAY RATE]: NAME is 192.168.N.2 behind a router that is 198.18.N.2 outside: it draws a new port for everybody it sends
# to, and lets in nothing that was not asked for.
lab_home() {
    local name=$1 n=$2
    shift
    lab_host "${name}router" "$@"
    lab_ns "$name"
    ip link add eth0 netns "$LAB-$name" type veth peer name home netns "$LAB-${name}router"
    ip -n "$LAB-$name" addr add "192.168.$n.2/24" dev eth0
    ip -n "$LAB-${name}router" addr add "192.168.$n.1/24" dev home
    ip -n "$LAB-${name}router" link set home up
    ip -n "$LAB-$name" link set eth0 up
    ip -n "$LAB-$name" route add default via "192.168.$n.1"
    inside "${name}router" nft -f - <<END
table ip nat {
    chain source { type nat hook postrouting priority 100; oifname "link$n" masquerade fully-random; }
    chain own { type filter hook input priority 0; policy drop; }
    chain through {
        type filter hook forward priority 0; policy drop;
        iifname home accept
        ct state established,related accept
    }
}
END
    [ -n "$(inside "${name}router" nft list table ip nat)" ] || lab_die "the NAT of $name"
}
lab_until() { # SECONDS WHAT command...: until it is so
    local seconds=$1 what=$2 end
    end=$(($(date +%s%3N) + seconds * 1000))
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s%3N)" -lt "$end" ] || { echo "FAILED: $what: not within $seconds s"; FAILED=1; return 1; }
        sleep 0.05
    done
}
# lab_node WHO HOST [meshd options]: a node at that host, in $DIR/WHO; $DIR/WHO/meshd.conf is read if it is there. It finds its network as it
# will be: it would make new ways, and a line of its log, of links that come up later.
lab_node() {
    local who=$1 host=$2
    shift 2
    mkdir -p -m 700 "$DIR/$who"
    touch "$DIR/$who/meshd.conf"
    netns_settled "$LAB-$host" || lab_die "the network of $host"
    nsenter --net="/run/netns/$LAB-$host" "$BUILD/meshd" --state "$DIR/$who" --config "$DIR/$who/meshd.conf" --listen 0.0.0.0:7557 "$@" \
        >>"$DIR/$who.log" 2>&1 &
    PID[$who]=$!
    ctl "$who" wait --for ready --timeout 20s >/dev/null || { echo "$who did not start"; FAILED=1; exit 1; }
}
# lab_relay WHO N [meshd options]: a host N with a relay on it; $RELAY_WHO says how others find it.
lab_relay() {
    local who=$1 n=$2
    shift 2
    lab_host "$who" "$n"
    lab_node "$who" "$who" --serve-relay "$@"
    printf -v "RELAY_$who" '%s' "198.18.$n.2:7557#$(ctl "$who" id)"
}
# lab_count NAME RULE...: a counter in the world, of what is forwarded and fits; lab_counted NAME: packets and bytes.
lab_count() {
    local name=$1
    shift
    inside world nft add counter ip lab "$name" && inside world nft add rule ip lab forward "$@" counter name "$name"
}
lab_counted() { inside world nft list counter ip lab "$1" | awk '/packets/ {print $2, $4}'; }
# peer_json WHO PEER KEY: its value in what WHO knows of its peer, without quotes; of the peer itself, not of its paths.
peer_json() {
    ctl "$1" --json peers | awk -v RS='"name":' -v peer="\"$2\"" -v key="\"$3\":" 'index($0, peer) == 1 {
        while (at = index($0, key)) $0 = substr($0, at + length(key))
        if (match($0, /^"[^"]*"/)) print substr($0, 2, RLENGTH - 2); else if (match($0, /^[^],}]*/)) print substr($0, 1, RLENGTH)
        exit}'
}
via() { [ "$(peer_json "$1" "$2" via)" = "$3" ]; }
# lab_transfer A B FILE: it goes from A to B and comes there whole.
lab_transfer() {
    local out=$DIR/out-${3##*/}
    mkdir "$out"
    ctl "$2" recv --out "$out" --once >/dev/null 2>&1 &
    check "the transfer of ${3##*/}" ctl "$1" send "$2" "$3"
    check "and it is whole" cmp "$3" "$out/${3##*/}"
}
# lab_sending A B: 30 MB are on their way from A to B, for a second and a half; lab_sent: that ends well and is whole.
lab_sending() {
    head -c 30000000 /dev/urandom >"$DIR/file"
    mkdir "$DIR/out"
    ctl "$2" recv --out "$DIR/out" --once >/dev/null 2>&1 &
    CTL_TIMEOUT=25 ctl "$1" send "$2" "$DIR/file" >"$DIR/send.log" 2>&1 &
    sending=$!
    sleep 1.5
}
lab_still_sending() { kill -0 "$sending" || { echo "FAILED: the transfer was over before"; FAILED=1; }; }
lab_sent() {
    check "the transfer ends well" wait "$sending"
    check "and is whole" cmp "$DIR/file" "$DIR/out/file"
}
# Big packets that come to a host, from now on; lab_gap: the longest time between two of them after the time given (s since 1970), in
# $gap_ms, and when it began, in $at_s.
lab_watch() { # HOST DEV
    nsenter --net="/run/netns/$LAB-$1" tcpdump --immediate-mode -Z root -i "$2" -U -s 64 -w "$DIR/watch-$1" udp and greater 400 and inbound 2>"$DIR/watch-$1.log" &
    PID[watch-$1]=$!
    lab_until 10 "tcpdump" grep -q listening "$DIR/watch-$1.log"
}
lab_gap() { # HOST SINCE
    stop "watch-$1"
    read -r gap_ms at_s < <(tcpdump -n -tt -r "$DIR/watch-$1" 2>/dev/null | awk -v since="$2" '
        $1 > since - 0.1 {if (last && $1 - last > gap) {gap = $1 - last; at = last} last = $1}
        END {printf "%d %.3f\n", gap * 1000, at - since}')
}
