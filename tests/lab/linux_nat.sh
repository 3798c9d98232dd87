#!/usr/bin/env bash
# The same packets through the kernel's masquerading and through sim/nat/nat_linux.c: a home, its router, and the internet, each in
# a namespace of its own.
set -eu
program=$1
skip() { echo "skipped: $*"; exit 77; }
[ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] || skip "root on Linux is needed"
command -v ip >/dev/null && command -v nft >/dev/null || skip "ip and nft are needed"
home=meshlab-$$-home router=meshlab-$$-router world=meshlab-$$-world
clear() {
    for ns in $home $router $world; do ip netns del $ns 2>/dev/null || true; done
}
trap clear EXIT
clear
ip netns add $home 2>/dev/null || skip "no namespaces here"

# Another router for each kind: nothing is left of what the one before knew. What the masquerade and the input chain say;
# how long entries live.
build() {
    clear
    for ns in $home $router $world; do
        ip netns add $ns
        ip -n $ns link set lo up
    done
    ip -n $router link add inside type veth peer name eth netns $home
    ip -n $router link add outside type veth peer name eth netns $world
    ip -n $router addr add 192.168.77.1/24 dev inside
    ip -n $router addr add 198.18.77.1/24 dev outside
    for i in 2 3 4 5; do
        ip -n $home addr add 192.168.77.$i/24 dev eth
        ip -n $world addr add 198.18.77.$i/24 dev eth
    done
    for link in inside outside; do ip -n $router link set $link up; done
    for ns in $home $world; do ip -n $ns link set eth up; done
    ip -n $router link set inside mtu 1300 # so that there is something to complain about
    ip -n $home route add default via 192.168.77.1
    ip netns exec $router sh -c "
        echo 1 >/proc/sys/net/ipv4/ip_forward
        nft -f -" <<EOF || skip "nftables cannot masquerade here"
table ip lab {
    chain source { type nat hook postrouting priority 100; oifname outside masquerade $1; }
    chain own { type filter hook input priority 0; policy $2; }
}
EOF
    ip netns exec $router sh -c "
        cd /proc/sys/net/netfilter
        echo ${3:-2} >nf_conntrack_udp_timeout
        echo ${4:-6} >nf_conntrack_udp_timeout_stream" || skip "no conntrack here"
}

build "" drop
"$program" $home $world linux,unreplied=2s,timeout=6s
build fully-random drop
"$program" $home $world linux,unreplied=2s,timeout=6s,ports=random
build "" accept
"$program" $home $world linux,unreplied=2s,timeout=6s,input=accept
# Drawn ones, in which no time passes.
for seed in 1 2 3 4; do
    build "" drop 120 180
    "$program" $home $world linux,unreplied=2m,timeout=3m $seed
    build "" accept 120 180
    "$program" $home $world linux,unreplied=2m,timeout=3m,input=accept $seed
done
