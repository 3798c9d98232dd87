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
! grep -vE '^sim\.(wall|events_per|datagrams_per)' same.txt | grep . || fail "the same run differs from itself"
echo "results: ok"
