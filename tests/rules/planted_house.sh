#!/usr/bin/env bash
# circles.sh and text.sh find what they are there to find: planted in files of their own, each is reported with its place.
set -eu
source=$1
cc=${CC:-cc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
expect() { # WHAT OUTPUT: reported?
    grep -qF "$1" <<<"$2" || { printf 'FAILED: not reported: %s\n%s\n' "$1" "$2"; failed=1; }
}
object() { # FILE CODE: its source, and its object as CMake lays it
    mkdir -p "$dir/$(dirname "$1")" "$dir/build/x.dir/$(dirname "$1")"
    printf '/* %s: planted. */\n%s\n' "$(basename "$1")" "$2" >"$dir/$1"
    "$cc" -c -o "$dir/build/x.dir/$1.o" "$dir/$1"
}
circles() { bash "$source/tests/rules/circles.sh" "$dir" "$dir/build" 1; }
object net/low.c 'int low(void); int low(void) { return 1; }'
object net/high.c 'int low(void); int high(void); int high(void) { return low(); }'
out=$(circles) || { echo "FAILED: two files one above the other are a circle"; echo "$out"; failed=1; }
object net/low.c 'int high(void); int low(void); int low(void) { return high(); }'
out=$(circles) && { echo "FAILED: a circle of two files passes"; failed=1; }
expect 'net/high.c needs net/low.c: low' "$out"
expect 'net/low.c needs net/high.c: high' "$out"
# Three folders in a ring, with no two files that need each other.
object net/low.c 'int low(void); int low(void) { return 1; }'
object net/a/one.c 'int two(void); int one(void); int one(void) { return two(); }'
object net/b/two.c 'int three(void); int two(void); int two(void) { return three(); }'
object net/c/three.c 'int four(void); int three(void); int three(void) { return four(); }'
object net/a/four.c 'int four(void); int four(void) { return 4; }'
out=$(circles) && { echo "FAILED: a ring of three folders passes"; failed=1; }
expect 'in a circle of folders: net/c needs net/a: four' "$out"
! grep -q 'circle of files' <<<"$out" || { echo "FAILED: files that are in no circle are said to be"; failed=1; }
rm "$dir/net/c/three.c" # a build may know an object of a file that is gone
out=$(circles) || { echo "FAILED: a file that is gone closes a circle"; echo "$out"; failed=1; }

plain() { # a house in order
    rm -rf "$dir/house"
    mkdir -p "$dir"/house/{crypto,net,node,cli,sim,tests}
    printf '/* a.h: what it is. */\n' >"$dir/house/net/a.h"
    printf '#include "net/a.h"\n' >"$dir/house/net/a.c"
    printf '/* b.c: what it is. */\n' >"$dir/house/net/b.c"
}
text() { bash "$source/tests/rules/text.sh" "$dir/house"; }
plain
out=$(text) || { echo "FAILED: a house in order does not pass"; echo "$out"; failed=1; }
plant() { # FILE TEXT EXPECTED
    plain
    printf '%b' "$2" >"$dir/house/$1"
    out=$(text) && { echo "FAILED: $1 passes"; failed=1; }
    expect "$3" "$out"
}
wide=$(printf 'x%.0s' {1..91})
plant net/b.c "/* b.c: $wide */\n" 'net/b.c:1: 102 characters'
plant tests/c.c "/* c.c: $wide */\n" 'tests/c.c:1: 102 characters'
plant net/a.h '#include "net/b.h"\n' 'net/a.h'
plant net/b.c 'int x;\n' 'net/b.c'
plant net/b.c '/* c.c: another name. */\n' 'net/b.c'
plant net/b.c "/* b.c: long. */\n$(printf '\\n%.0s' {1..500})" 'net/b.c: more than 500 lines'
plain
printf '/* b.c: %s */\n' "$(printf 'ä%.0s' {1..89})" >"$dir/house/net/b.c" # 100 characters, more bytes
out=$(text) || { echo "FAILED: characters are counted as bytes"; echo "$out"; failed=1; }
exit $failed
