# veth.sh: two hosts in network namespaces joined by veth, for benchmarks and end-to-end tests, and when such a network has settled. Sourced.
# veth_up PREFIX makes PREFIXa (10.77.0.1) and PREFIXb (10.77.0.2), MTU 1500; veth_down PREFIX removes them and what runs inside.
# netns_settled NS: waits until its links are up and no address is tentative; the kernel tells of both late, and who runs there already is told
# then that the network has changed.
netns_settled() {
    local try
    for ((try = 0; try < 300; try++)); do
        ip -n "$1" -o link show up | grep -v LOOPBACK | grep -qE 'state (DOWN|LOWERLAYERDOWN|DORMANT)' ||
            ip -n "$1" -o addr show tentative | grep -q . || return 0
        sleep 0.05
    done
    echo "the links of $1 do not come up"
    return 1
}
veth_up() {
    ip netns add "$1a" && ip netns add "$1b" || return
    for side in a b; do ip netns exec "$1$side" sh -c '! cd /proc/sys/net/ipv6/conf/default || echo 0 >accept_dad'; done
    ip link add "$1va" netns "$1a" type veth peer name "$1vb" netns "$1b"
    for side in a b; do
        ip -n "$1$side" link set lo up
        ip -n "$1$side" link set "$1v$side" up
    done
    ip -n "$1a" addr add 10.77.0.1/24 dev "$1va"
    ip -n "$1b" addr add 10.77.0.2/24 dev "$1vb"
    netns_settled "$1a" && netns_settled "$1b"
}
veth_down() {
    for side in a b; do
        ip netns pids "$1$side" 2>/dev/null | xargs -r kill 2>/dev/null
        ip netns del "$1$side" 2>/dev/null
    done
    return 0
}
