#!/usr/bin/env bash
# Each mutant (mutants.c, mutants_paths.c) is found by a swarm of thirty seeds, by what it breaks and not by a crash. Says which seed found it. What
# breaks a promise of paths or relays is found by the scenario of that promise, or by a swarm with relays. $1: meshsim-mutant, $2: the scenarios.
set -u
mutant=$1
scenarios=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
names=$(MESHSIM_MUTANT= "$mutant" swarm --seed 1 --limit 60 --out "$dir" 2>&1 >/dev/null | sed -n 's/^MESHSIM_MUTANT is one of: //p' | head -1)
[ -n "$names" ] || { echo "the program does not say which mutants there are" >&2; exit 1; }

# The line of a scenario that has to be broken.
promise() {
    case $1 in
    never-doubles | cold-standby) echo relay/path_cut "expect path.gap" ;;
    fickle) echo standby_equal "expect endpoint.paths_bettered" ;;
    unforgiving) echo standby_cut "expect endpoint.paths_bettered" ;;
    relay-only-answers) echo relay/policy_later "never forbidden_address" ;;
    relay-mixes | relay-for-anybody) echo relay/hostile_clients "never crossed_flows" ;;
    esac
}

for name in $names; do
    read -r scenario line < <(promise "$name")
    if [ -n "${scenario:-}" ]; then
        MESHSIM_MUTANT=$name "$mutant" run "$scenarios/$scenario.mesh" >"$dir/report" 2>&1
        why=$(grep -m1 "^BROKEN.*$line" "$dir/report")
        echo "$name: ${why:-FAILED: $scenario.mesh does not find it}"
        [ -n "$why" ] || failed=1
        continue
    fi
    scale=
    [ "$name" != long-answer ] || scale="--scale relays"
    seed=
    for first in 1 6 11 16 21 26; do
        MESHSIM_MUTANT=$name "$mutant" swarm $scale --seeds $first..$((first + 4)) -j 2 --limit 60 --out "$dir" >"$dir/report" 2>"$dir/said" && continue
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
