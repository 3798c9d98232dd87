#!/usr/bin/env bash
# What meshsim's commands promise: swarm texts are readable and the same each time, -j changes nothing, crashes and hangs are failures
# like others, memo gives the trace of real, and broken lines are named.
set -eu
meshsim=$1 source=$2 seeds=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
fail() { echo "$*" >&2; exit 1; }

for seed in $(seq 1 "$seeds"); do
    "$meshsim" swarm --seed "$seed" --print >a.mesh
    "$meshsim" swarm --seed "$seed" --print >b.mesh
    cmp -s a.mesh b.mesh || fail "seed $seed gives two texts"
    "$meshsim" check a.mesh || fail "seed $seed gives an unreadable text"
    "$meshsim" swarm --seed "$seed" --scale medium --print >c.mesh
    "$meshsim" check c.mesh || fail "seed $seed gives an unreadable medium text"
done

"$meshsim" swarm --seeds "1..$((seeds / 2))" -j 1 >one.txt 2>/dev/null || true
"$meshsim" swarm --seeds "1..$((seeds / 2))" -j 3 >three.txt 2>/dev/null || true
strip() { grep -vE 'wall|per_s|passed' "$1"; }
cmp -s <(strip one.txt) <(strip three.txt) || { diff <(strip one.txt) <(strip three.txt) >&2; fail "-j changes the report"; }

for file in "$source"/sim/scenarios/{roam_mid_transfer,kill_and_restart,messages_under_loss}.mesh; do
    real=$("$meshsim" run "$file" --crypto real | grep '^trace')
    memo=$("$meshsim" run "$file" --crypto memo | grep '^trace')
    [ "$real" = "$memo" ] || fail "$file: memo is not real"
    "$meshsim" run "$file" --crypto stub >stub.txt || fail "$file fails with stub"
    grep -q 'nothing is secret' stub.txt || fail "a stub report does not say so"
done

refused() { # LINE:COLUMN of the complaint, then the scenario
    printf '%s\n' "$2" >bad.mesh
    code=0
    "$meshsim" check bad.mesh 2>said || code=$?
    [ "$code" = 2 ] && grep -q "^bad.mesh:$1: " said || fail "'$2': code $code, $(cat said)"
}
refused 2:6 $'for 1s\nnode a[2..1]'
refused 2:8 $'for 1s\nnode a nat=eim/xyz'
refused 3:13 $'for 1s\nnode a\nat 1s cut a b'
refused 3:7 $'for 1s\nnode a\nnever such_a_thing'
refused 3:6 $'for 1s\nnode a b\nload dance 1/s a'
refused 3:11 $'for 1s\nnode a b\nload ping fast a'
refused 3:11 $'for 1s\nnode a b\nhostile a eat(b)'
refused 3:1 $'for 1s\nnode a b\ncut a b'
refused 3:8 $'for 1s\nnode a\nlink a jitter=lots(1ms)'
refused 2:8 $'for 1s\nsite h gateway=maybe nat=fullcone'
refused 3:7 $'for 1s\nnode a b\nat 1s clog a b'

refused 3:8 $'for 1s\nnode a\nexpect foo == 1'
refused 3:8 $'for 1s\nnode a\nexpect drop.loss >= 0'
refused 3:8 $'for 1s\nnode a\nexpect message.lost == 0'
refused 4:7 $'for 1s\nnode a\ncrypto stub\nnever unsigned_accept'
refused 3:11 $'for 1s\nnode a\nsometimes foo == 1'

usage() { # what the complaint says, then the command
    code=0
    local says=$1
    shift
    "$meshsim" "$@" >out 2>said </dev/null || code=$?
    [ "$code" = 2 ] && grep -q -e "$says" said || fail "meshsim $*: code $code, $(cat said)"
}
printf 'let loss = 1%%\nfor 1s\nnode a b\nlink a loss=$loss\n' >set.mesh
"$meshsim" run set.mesh --set loss=2% >/dev/null || fail "--set of a name that is used"
usage '--set los' run set.mesh --set los=2%
usage '--set 1x' run set.mesh --set 1x=5
printf 'for 1s\nnode a\nexpect foo == 1\n' >foo.mesh
usage 'no metric' run foo.mesh
usage 'no metric' shrink foo.mesh
for option in --html=page.html --pcap=wire.pcapng --twice --baseline=old.json -v; do
    usage 'one run only' run set.mesh --seeds 1..2 $option
    usage 'one run only' swarm --seeds 1..2 $option
done
[ ! -e page.html ] && [ ! -e wire.pcapng ] || fail "a refused command writes"
if [ -e /dev/full ]; then
    code=0
    "$meshsim" run set.mesh >/dev/full 2>said || code=$?
    [ "$code" = 2 ] || fail "output that cannot be written: $code"
fi

code=0
printf 'for 1s\nnode a b\ncontacts a b\nat 0s connect a b\nexpect handshake.count == 7\n' >wrong.mesh
"$meshsim" run wrong.mesh >said || code=$?
[ "$code" = 1 ] && grep -q 'BROKEN wrong.mesh:5: expect handshake.count == 7: 1' said || fail "a broken line: $code $(cat said)"
# A mode that cannot judge says so, and what was asked for by its name is then not met.
printf 'for 20s\nnode a b\ncontacts a b\nhostile a forge\nat 1s connect a b may\nnever unsigned_accept wrong_peer\n' >forger.mesh
code=0
"$meshsim" run forger.mesh --crypto stub >said || code=$?
[ "$code" = 1 ] && grep -q 'BROKEN forger.mesh:6: never unsigned_accept: not judged' said || fail "stub judges a forger: $code $(cat said)"
grep -q 'met .*never wrong_peer: judged [0-9]* times' said || fail "nothing is said of how often: $(cat said)"
code=0
printf 'for 20s\nnode a b c\ncontacts a b\nat 1s message a c\n' >refusal.mesh
"$meshsim" run refusal.mesh --json=refusal.json >said || code=$?
[ "$code" = 1 ] && grep -q 'BROKEN refusal.mesh:4: a: message c of 1.000 s' said || fail "a refused message passes: $code $(cat said)"
grep -q '"undone"' refusal.json && grep -q 'a: message c' refusal.json || fail "the JSON does not name it"
echo "commands: ok"
