#!/usr/bin/env bash
# What one can see of a run: the capture is read by tshark and agrees with the numbers, the page opens in Chromium without an error and
# asks for nothing, results add up in any order, and a baseline names what differs.
set -eu
meshsim=$1 source=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
fail() { echo "$*" >&2; exit 1; }
number() { grep "^ *\"$1\":" "$2" | head -1 | sed -E 's/.*: ([0-9.]+),?$/\1/'; }

scenario=$source/tests/sim/report.mesh
"$meshsim" run "$scenario" --html page.html --pcap cap.pcapng --json=a.json >/dev/null
if command -v tshark >/dev/null; then
    tshark -r cap.pcapng -T fields -e frame.interface_name -e frame.comment >packets 2>said || fail "tshark: $(cat said)"
    delivered=$(grep -vc 'lost:' packets) lost=$(grep -c 'lost:' packets)
    [ "$delivered.0" = "$(number datagram.delivered a.json)" ] || fail "$delivered packets in the capture, $(number datagram.delivered a.json) delivered"
    for fate in loss cut nat_filtered; do
        [ "$(grep -c "lost: $fate\$" packets).0" = "$(number drop.$fate a.json)" ] || fail "the capture has another number of $fate"
    done
    bad=$(tshark -r cap.pcapng -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
        -Y 'ip.checksum.status==0 || udp.checksum.status==0 || _ws.malformed' 2>/dev/null | wc -l)
    [ "$bad" = 0 ] || fail "$bad packets are wrong"
    echo "capture: $delivered delivered, $lost lost"
else
    echo "capture not read: no tshark"
fi

chromium=$(command -v chromium || command -v chromium-browser || true)
grep -qE '(src|href)="?(https?:)?//' page.html && fail "the page asks for something"
if [ -n "$chromium" ]; then
    cat >load.html <<'END'
<iframe src="page.html" width="800" height="600"></iframe>
END
    timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --user-data-dir="$dir/profile" --enable-logging=stderr --v=0 \
        --dump-dom "file://$dir/page.html" >dom.html 2>log || fail "Chromium: $(tail -3 log)"
    ! grep -q 'CONSOLE' log || fail "$(grep CONSOLE log)"
    for id in verdicts traffic losses matrix topology timeline; do
        grep -q "id=\"$id\"" dom.html || fail "the page has no $id"
    done
    [ "$(grep -o 'class="cdf"' dom.html | wc -l)" -ge 3 ] || fail "the page has no distributions"
    grep -q '&lt;' page.html || fail "names are not escaped"
    echo "page: opened"
else
    echo "page not opened: no Chromium"
fi

"$meshsim" run "$scenario" --seed 8 --json=b.json >/dev/null
"$meshsim" run "$scenario" --seed 9 --json=c.json >/dev/null
"$meshsim" merge a.json b.json -o ab.json 2>/dev/null
"$meshsim" merge ab.json c.json -o abc.json 2>/dev/null
"$meshsim" merge b.json c.json -o bc.json 2>/dev/null
"$meshsim" merge bc.json a.json -o bca.json 2>/dev/null
# Sums of floating-point numbers may differ in their last digit; real time is another each time.
same() { grep -vE '"sim\.(wall|events_per|datagrams_per)' "$1" | sed -E 's/([0-9]\.[0-9]{6})[0-9]*/\1/g'; }
cmp -s <(same abc.json) <(same bca.json) || { diff <(same abc.json) <(same bca.json) | head >&2; fail "the order of adding matters"; }
grep -q '"count": 3' abc.json || fail "three runs are not three"
! "$meshsim" merge a.json "$source/CMakeLists.txt" 2>said || fail "a file that is no result is added"
"$meshsim" run "$scenario" --seed 8 --baseline a.json >diff.txt
grep -q 'ping' diff.txt || fail "the baseline shows nothing"
"$meshsim" run "$scenario" --baseline a.json >same.txt
[ "$(cat same.txt)" = "nothing differs from the baseline" ] || fail "the same run differs from itself: $(cat same.txt)"
refused() { # a baseline that is none
    code=0
    "$meshsim" run "$scenario" --baseline "$1" >/dev/null 2>said || code=$?
    [ "$code" = 2 ] && grep -q 'not a result' said || fail "a baseline of $(cat "$1"): $code $(cat said)"
}
echo '{}' >empty.json
echo '[]' >list.json
refused empty.json
refused list.json
sed 's/^for 30s/for 29s/' "$scenario" >other.mesh
"$meshsim" run other.mesh --baseline a.json >diff.txt
grep -q 'another scenario' diff.txt || fail "another scenario's baseline is taken for its own"

# Only results of the same scenario, once each; a sum says the same as the whole.
cp "$scenario" report.mesh
printf 'sometimes drop.nat_full > 0\nsometimes ping.max > 0.02\n' >>report.mesh
"$meshsim" run report.mesh --seeds 1..4 --json=whole.json >whole.txt 2>said && fail "a sometimes that never happens passes"
[ "$(tail -1 whole.txt)" = broken ] || fail "a broken sometimes ends with $(tail -1 whole.txt)"
grep -q 'BROKEN report.mesh:.*sometimes drop.nat_full > 0' said || fail "a broken sometimes is not named"
"$meshsim" run report.mesh --seeds 1..2 --json=p1.json >/dev/null 2>&1 || true
"$meshsim" run report.mesh --seeds 4..4 --json=p2.json >/dev/null 2>&1 || true
"$meshsim" run report.mesh --seed 3 --json=p3.json >/dev/null 2>&1
code=0
"$meshsim" merge p1.json p2.json p3.json -o parts.json 2>said || code=$?
[ "$code" = 1 ] && grep -q 'sometimes drop.nat_full' said || fail "merge does not judge: $code $(cat said)"
! grep -q 'ping.max' said || fail "merge breaks what holds"
cmp -s <(same parts.json) <(same whole.json) || { diff <(same parts.json) <(same whole.json) | head >&2; fail "parts are not the whole"; }
unmerged() {
    code=0
    "$meshsim" merge "$1" "$2" 2>said >/dev/null || code=$?
    [ "$code" = 2 ] && grep -q "$3" said || fail "merge $1 $2: $code $(cat said)"
}
unmerged p1.json whole.json 'in both'
unmerged p1.json a.json 'another scenario'
"$meshsim" run report.mesh --seed 9 --crypto memo --json=memo.json >/dev/null 2>&1
unmerged p1.json memo.json 'another'
"$meshsim" run other.mesh --html axes.html >/dev/null
grep -q '[0-9] ms</text>' axes.html && ! grep -q '[0-9] m</text>' axes.html || fail "times are not in ms"
echo "results: ok"
