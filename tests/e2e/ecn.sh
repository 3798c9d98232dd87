#!/usr/bin/env bash
# Explicit congestion notification on a real network, IPv4 and IPv6: packets leave with ECT(0); what a router marks CE is counted and told; a
# router that clears the field, or drops what carries a mark, is found out and the transfer goes on. Needs root, namespaces and nft.
[ "$(id -u)" = 0 ] && command -v nft >/dev/null && ip netns list >/dev/null 2>&1 || { echo "skipped: needs root, ip netns and nft"; exit 77; }
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../bench/veth.sh"
NS=me$$
veth_up $NS || { veth_down $NS; echo "skipped: namespaces cannot be made here"; exit 77; }
EXTRA_CLEANUP="veth_down $NS"
nftb() { ip netns exec ${NS}b nft "$@"; }
# What comes to b passes this chain before b sees it. Each packet counts as what it was when it came.
nftb -f - <<'EOT' || { echo "skipped: nft does not work here"; exit 77; }
table inet t {
    counter ect0 {}
    counter ect1 {}
    counter plain {}
    chain in { type filter hook prerouting priority -150; policy accept; }
}
EOT
UDP="meta l4proto udp"
count() { nftb list counter inet t "$1" | grep -oE 'packets [0-9]+' | cut -d' ' -f2; }
rules() { # [RULE...]: instead of those before
    nftb flush chain inet t in
    for field in ect0 ect1; do
        nftb add rule inet t in "$UDP" ip ecn $field counter name $field
        nftb add rule inet t in "$UDP" ip6 ecn $field counter name $field
    done
    nftb add rule inet t in "$UDP" ip ecn not-ect counter name plain
    for r in "$@"; do nftb add rule inet t in "$UDP" "$r" || { echo "FAILED: nft does not take: $r"; FAILED=1; }; done
}
ip -n ${NS}a addr add fd77::1/64 dev ${NS}va nodad
ip -n ${NS}b addr add fd77::2/64 dev ${NS}vb nodad
run() { # NAME side [options]
    local name=$1 side=$2
    shift 2
    mkdir -p -m 700 "$DIR/$name"
    ip netns exec "$NS$side" "$BUILD/meshd" --state "$DIR/$name" "$@" >"$DIR/$name.log" 2>&1 &
    PID[$name]=$!
    ctl "$name" wait --for ready --timeout 20s >/dev/null || FAILED=1
}
counter() { ctl "$1" --json status | grep -oE "\"$2\": ?[0-9]+" | head -1 | grep -oE '[0-9]+$'; }
head -c 4194304 /dev/urandom >"$DIR/file"
# transfer WHAT [address]: fresh nodes, so that the path is tested afresh
transfer() {
    local a=a$1 b=b$1
    run "$a" a ${2:+--listen "$2"}
    run "$b" b ${3:+--listen "$3"}
    pair "$a" "$b"
    mkdir "$DIR/out$1"
    ctl "$b" recv --out "$DIR/out$1" --once >/dev/null 2>&1 &
    check "$1: transfer" ctl "$a" send "$b" "$DIR/file"
    check "$1: the file is right" cmp -s "$DIR/file" "$DIR/out$1/file"
    echo "$1: a $(counter "$a" ecn_validated) $(counter "$a" ecn_failed) b $(counter "$b" ecn_validated) $(counter "$b" ecn_failed)" \
        "CE $(counter "$b" ce_received) lost $(counter "$a" pkts_lost) ECT(0) $(count ect0) ECT(1) $(count ect1)"
}
over() { stop "a$1"; stop "b$1"; }

rules
transfer clean
check "clean: nearly all has ECT(0)" test "$(count ect0)" -ge 30
check "clean: nothing has ECT(1)" test "$(count ect1)" = 0
check "clean: handshakes have neither" test "$(count plain)" -ge 1
check "clean: validated" test "$(counter aclean ecn_validated)" = 1
check "clean: not refuted" test "$(counter aclean ecn_failed)$(counter bclean ecn_failed)" = 00
check "clean: no CE" test "$(counter bclean ce_received)" = 0
over clean

before=$(count ect0)
transfer ipv6 '[fd77::1]:0' '[fd77::2]:0'
check "ipv6: it has ECT(0)" test "$(count ect0)" -ge $((before + 30))
check "ipv6: validated" test "$(counter aipv6 ecn_validated)" = 1
over ipv6

# Every 16th datagram or train that can bear it (the kernel's batches pass as one).
rules "ip ecn ect0 numgen inc mod 16 == 0 ip ecn set ce"
transfer marked
check "marked: CE is counted" test "$(counter bmarked ce_received)" -ge 1
check "marked: that is no failure" test "$(counter amarked ecn_failed)" = 0
check "marked: and no loss" test "$(counter amarked pkts_lost)" = 0
over marked

rules "ip ecn set not-ect"
transfer bleached
check "bleached: found out" test "$(counter ableached ecn_failed)" = 1
check "bleached: never validated" test "$(counter ableached ecn_validated)" = 0
over bleached

rules "ip ecn != not-ect drop"
transfer dropped 0.0.0.0:0 0.0.0.0:0 # by IPv6 there would be another path
check "dropped: found out" test "$(counter adropped ecn_failed)" = 1
over dropped
exit $FAILED
