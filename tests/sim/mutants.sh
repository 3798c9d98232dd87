#!/usr/bin/env bash
# Each mutant (mutants.c) is found by a swarm of thirty seeds, by what it breaks and not by a crash. Says which seed found it.
set -u
mutant=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
names=$(MESHSIM_MUTANT= "$mutant" swarm --seed 1 --limit 60 --out "$dir" 2>&1 >/dev/null | sed -n 's/^MESHSIM_MUTANT is one of: //p' | head -1)
[ -n "$names" ] || { echo "the program does not say which mutants there are" >&2; exit 1; }
for name in $names; do
    seed=
    for first in 1 6 11 16 21 26; do
        MESHSIM_MUTANT=$name "$mutant" swarm --seeds $first..$((first + 4)) -j 2 --limit 60 --out "$dir" >"$dir/report" 2>"$dir/said" && continue
        seed=$(awk '/^failed /{print $2}' "$dir/report")
        break
    done
    why=$(sed -n "/^seed ${seed:-0}:/,/^seed/{/BROKEN/{p;q}}" "$dir/said")
    if [ -n "$seed" ] && [ -n "$why" ]; then
        echo "$name: seed $seed: ${why#BROKEN }"
    else
        echo "FAILED: $name is not found" >&2
        [ -z "$seed" ] || cat "$dir/said" >&2
        failed=1
    fi
done
exit $failed
