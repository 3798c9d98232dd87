#!/usr/bin/env bash
# A replay window that is off by one (meshsim-planted) is found by a swarm, replayed from its seed, and shrunk to ten lines at most; the
# right one passes the same small scenario.
set -eu
planted=$1 right=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
seed=
for first in 1 11 21 31 41 51 61 71 81 91 101 111 121 131 141 151 161 171 181 191; do
    if ! "$planted" swarm --seeds $first..$((first + 9)) -j 2 --limit 60 --out "$dir" >"$dir/report" 2>"$dir/said"; then
        seed=$(awk '/^failed /{print $2}' "$dir/report")
        break
    fi
done
[ -n "$seed" ] || { echo "200 seeds did not find the planted bug" >&2; exit 1; }
grep -q "never replayed" "$dir/said" || { cat "$dir/said" >&2; exit 1; }
file=$dir/swarm-$seed.mesh
! "$planted" run "$file" --seed "$seed" >"$dir/again" 2>&1 || { echo "seed $seed does not fail again" >&2; exit 1; }
grep -q "BROKEN.*never replayed" "$dir/again"
"$planted" shrink "$file" --seed "$seed" --limit 60 -o "$dir/small.mesh"
lines=$(grep -cv '^#' "$dir/small.mesh")
cat "$dir/small.mesh"
[ "$lines" -le 10 ] || { echo "$lines lines are left" >&2; exit 1; }
! "$planted" run "$dir/small.mesh" --seed "$seed" >/dev/null 2>&1 || { echo "the small one does not fail" >&2; exit 1; }
"$right" run "$dir/small.mesh" --seed "$seed" >/dev/null || { echo "the right window fails, too" >&2; exit 1; }
echo "found by seed $seed, $lines lines"
