#!/usr/bin/env bash
# The rule about names finds what it is there to find: the tree passes, and each planted name that is not there is reported, with its line.
set -eu
cd "$1"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r crypto net node sim cli tests docs ./*.md "$copy"
failed=0
bash tests/rules/names.sh "$copy" || { echo "FAILED: the tree as it is does not pass"; failed=1; }
plant() { # FILE LINE TEXT: a line put in at the top
    local out
    cp "$copy/$1" "$copy/kept"
    { printf '%s\n' "$2"; cat "$copy/kept"; } >"$copy/$1"
    if out=$(bash tests/rules/names.sh "$copy") || ! grep -qF "$1:1: $3" <<<"$out"; then
        printf 'FAILED: not reported: %s in %s\n' "$2" "$1"
        failed=1
    fi
    mv "$copy/kept" "$copy/$1"
}
plant net/endpoint.c '/* As endpoint_gone.c has it. */' endpoint_gone.c
plant net/endpoint.h '/* See net/session/endpoint_in.c. */' net/session/endpoint_in.c
plant README.md 'See `docs/GONE.md`.' docs/GONE.md
plant CONTRIBUTING.md 'See `node/control/control_conn.c`.' node/control/control_conn.c
plant docs/TRANSPORT.md '| a | `net/test_loss`: nobody_wrote_this_one |' nobody_wrote_this_one
plant docs/TRANSPORT.md '| a | `net/test_gone`: reordering_does_not_collapse_the_window |' reordering_does_not
plant net/base/limits.h ' *       loss: nobody_wrote_this_one' nobody_wrote_this_one
exit $failed
