#!/usr/bin/env bash
# The rule about imports finds what it is there to find: a copy of the sources passes; in another, each of many planted lines is reported
# where it is.
set -eu
cd "$1"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy"/{good,bad}/tests/rules
for c in good bad; do
    cp tests/rules/rooms "$copy/$c/tests/rules"
    cp -r crypto net node sim cli "$copy/$c"
done
failed=0
bash tests/rules/imports.sh "$copy/good" || { echo "FAILED: the sources as they are do not pass"; failed=1; }
expected=()
plant() { # FILE LINE: a new file, or one more line of an old one; what it includes is named, and where
    mkdir -p "$copy/bad/$(dirname "$1")"
    printf '%s\n' "$2" >>"$copy/bad/$1"
    expected+=("$1:$(wc -l <"$copy/bad/$1"):.*$(grep -oE '["<].*[">]' <<<"$2")")
}
unknown() { # FILE LINE: the same in a folder that has no row
    plant "$1" "$2"
    expected[-1]="$1: the folder has no row"
}
plant crypto/noise/keys.c '#include "net/base/addr.h"'
unknown crypto/deep/x.h '#include "node/node.h"'
plant net/base/addr.c '#include "node/node.h"'
plant net/base/addr.c '#include "net/io/udp.h"'
plant net/path/x.c '#include "sim/world/sim.h"'
plant net/io/x.c '#include "node/node.h"'
plant net/os/x.c '#include "net/base/addr.h"'
plant net/base/addr.c '#include "net/os/clock.h"'
plant node/node.c '#include "net/os/clock.h"'
plant node/node.c '#include "node/daemon/os/log.h"'
plant node/node.c '  #  include "node/daemon/os/log.h"'
plant node/node.c '#include <node/daemon/os/log.h>'
plant node/node.c '#include "daemon/log.h"'
plant node/message/x.c '#include "net/io/udp.h"'
plant node/message/x.h '#include "node/../node/daemon/log.h"'
plant node/message/x.c '#include <unistd.h>'
unknown node/room/x.c '#include "net/io/udp.h"'
plant node/room/x.c '#include <unistd.h>'
unknown node/room/deep/x.h '#include "node/../node/daemon/log.h"'
plant net/path/x.h '#include <sys/socket.h>'
plant crypto/x.c '#include <pthread.h>'
unknown node/daemon/deep/x.c '#include "sim/world/sim.h"'
plant sim/world/sim.c '#include "node/daemon/os/log.h"'
unknown sim/deep/x.c '#include "net/io/udp.h"'
plant cli/kit/app.c '#include "node/node.h"'
unknown cli/deep/x.c '#include "node/control/control.h"'
unknown stray/x.c '#include "node/node.h"'
expected[-1]='./stray/x.c'
mkdir "$copy/bad/node/alone"
echo '/* x.h: nothing. */' >"$copy/bad/node/alone/x.h"
expected+=('node/alone: the folder has no row')
expected+=('net/base/addr.c:.*   rule: net/base:') # its row is shown
if out=$(bash tests/rules/imports.sh "$copy/bad" 2>&1); then
    echo "FAILED: with all of them it passes"
    failed=1
fi
for e in "${expected[@]}"; do
    grep -q "^$e" <<<"$out" || { echo "FAILED: not reported: $e"; failed=1; }
done
# Of a circle only those in it are named.
sed -i 's#^crypto/base:.*#crypto/base: crypto/noise#' "$copy/good/tests/rules/rooms"
out=$(bash tests/rules/imports.sh "$copy/good" 2>&1) || true
grep -qF 'in a circle of folders, which none may be: crypto/base: crypto/noise' <<<"$out" || { echo 'FAILED: a circle passes'; failed=1; }
! grep -F 'circle of folders' <<<"$out" | grep -vE ': crypto/(base|noise|aead|identity|tree):' ||
    { echo 'FAILED: who is in no circle is named'; failed=1; }
exit $failed
