#!/usr/bin/env bash
# The rule about imports finds what it is there to find: a copy of the sources passes, and each planted line in it is reported.
set -eu
cd "$1"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/tests/rules"
cp tests/rules/rooms "$copy/tests/rules"
cp -r crypto net node sim cli "$copy"
failed=0
bash tests/rules/imports.sh "$copy" || { echo "FAILED: the sources as they are do not pass"; failed=1; }
plant() { # FILE LINE: a new file, or one more line of an old one
    local file=$copy/$1 had=0 out
    [ ! -f "$file" ] || { had=1; cp "$file" "$copy/kept"; }
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$2" >>"$file"
    if out=$(bash tests/rules/imports.sh "$copy") || ! grep -qF "$1" <<<"$out"; then
        printf 'FAILED: not reported: %s in %s\n' "$2" "$1"
        failed=1
    fi
    if [ $had = 1 ]; then mv "$copy/kept" "$file"; else rm "$file"; fi
}
plant crypto/noise/keys.c '#include "net/base/addr.h"'
plant crypto/deep/x.h '#include "node/node.h"'
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
plant node/room/x.c '#include "net/io/udp.h"'
plant node/room/deep/x.h '#include "node/../node/daemon/log.h"'
plant node/room/x.c '#include <unistd.h>'
plant net/path/x.h '#include <sys/socket.h>'
plant crypto/x.c '#include <pthread.h>'
plant node/daemon/deep/x.c '#include "sim/world/sim.h"'
plant sim/world/sim.c '#include "node/daemon/os/log.h"'
plant sim/deep/x.c '#include "net/io/udp.h"'
plant cli/kit/app.c '#include "node/node.h"'
plant cli/deep/x.c '#include "node/control/control.h"'
plant stray/x.c '#include "node/node.h"'
# The message names the line; a folder without any include is seen; of a circle only those in it are named.
says() { # WHAT TEXT
    bash tests/rules/imports.sh "$copy" 2>&1 | grep -qF "$2" || { echo "FAILED: $1: not said: $2"; failed=1; }
}
cp "$copy/net/base/addr.c" "$copy/kept"
sed -i '1i #include "node/node.h"' "$copy/net/base/addr.c"
says 'where it is' 'net/base/addr.c:1: "node/node.h"   rule: net/base:'
mv "$copy/kept" "$copy/net/base/addr.c"
mkdir "$copy/node/alone"
echo '/* x.h: nothing. */' >"$copy/node/alone/x.h"
says 'a folder without an include' 'node/alone: the folder has no row'
rm -r "$copy/node/alone"
sed -i 's#^crypto/base:.*#crypto/base: crypto/noise#' "$copy/tests/rules/rooms"
says 'a circle' 'in a circle of folders, which none may be: crypto/base: crypto/noise'
! bash tests/rules/imports.sh "$copy" | grep -F 'circle of folders' | grep -vE ': crypto/(base|noise|aead|identity|tree):' ||
    { echo 'FAILED: who is in no circle is named'; failed=1; }
exit $failed
