#!/usr/bin/env bash
# The rule about names finds what it is there to find: the tree passes, and each planted name that is not there is reported, with its line.
set -eu
cd "$1"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r crypto net node sim cli tests docs ./*.md "$copy"
failed=0
bash tests/rules/names.sh "$copy" || { echo "FAILED: the tree as it is does not pass"; failed=1; }
expected=()
plant() { # FILE LINE TEXT: a line put in at the top, below those put there before
    local at
    at=$(($(grep -c "^$1:" <<<"$(printf '%s\n' "${expected[@]}")") + 1)) || true
    sed -i "${at}i\\$2" "$copy/$1"
    expected+=("$1:$at: $3")
}
plant net/endpoint.c '/* As endpoint_gone.c has it. */' endpoint_gone.c
plant net/endpoint.h '/* See net/session/endpoint_in.c. */' net/session/endpoint_in.c
plant README.md 'See `docs/GONE.md`.' docs/GONE.md
plant CONTRIBUTING.md 'See `node/control/control_conn.c`.' node/control/control_conn.c
plant docs/TRANSPORT.md '| a | `net/test_loss`: nobody_wrote_this_one |' nobody_wrote_this_one
plant docs/TRANSPORT.md '| a | `net/test_gone`: reordering_does_not_collapse_the_window |' reordering_does_not
plant net/base/limits.h ' *       loss: nobody_wrote_this_one' nobody_wrote_this_one
if out=$(bash tests/rules/names.sh "$copy"); then
    echo "FAILED: with all of them it passes"
    failed=1
fi
for e in "${expected[@]}"; do
    grep -qF "$e" <<<"$out" || { echo "FAILED: not reported: $e"; failed=1; }
done
exit $failed
