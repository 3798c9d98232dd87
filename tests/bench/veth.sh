# veth.sh: two hosts in network namespaces joined by veth, for benchmarks and end-to-end tests. Sourced.
# veth_up PREFIX makes PREFIXa (10.77.0.1) and PREFIXb (10.77.0.2), MTU 1500; veth_down PREFIX removes them and what runs inside.
veth_up() {
    ip netns add "$1a" && ip netns add "$1b"
    ip link add "$1va" netns "$1a" type veth peer name "$1vb" netns "$1b"
    for side in a b; do
        ip -n "$1$side" link set lo up
        ip -n "$1$side" link set "$1v$side" up
    done
    ip -n "$1a" addr add 10.77.0.1/24 dev "$1va"
    ip -n "$1b" addr add 10.77.0.2/24 dev "$1vb"
}
veth_down() {
    for side in a b; do
        ip netns pids "$1$side" 2>/dev/null | xargs -r kill 2>/dev/null
        ip netns del "$1$side" 2>/dev/null
    done
    return 0
}
