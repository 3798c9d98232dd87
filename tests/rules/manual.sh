#!/usr/bin/env bash
# manual.sh SOURCE MESHCTL MESHD MESHSIM: what --help knows the manual knows, and the other way round: every command, and every option of each.
# And no line of a --help is wider than a terminal of 80 columns.
set -u
docs=$1/docs ctl=$2 meshd=$3 meshsim=$4 bad=0
options() { grep -oE -- '(^|[^a-z-])--?[a-z][a-z-]*' | grep -oE -- '--?[a-z][a-z-]*' | sort -u; }
same() { # WHAT HELP MANUAL
    [ "$2" = "$3" ] || { printf '%s: --help (<) and its manual in docs/ (>) differ; both say the same:\n' "$1"; diff <(printf '%s\n' "$2") <(printf '%s\n' "$3"); bad=1; }
}
fits() { # WHAT text
    local wide
    wide=$(awk 'length($0) > 79' <<<"$2")
    [ -z "$wide" ] || { printf '%s --help: lines above 79 columns:\n%s\n' "$1" "$wide"; bad=1; }
}

# meshctl(1): "COMMAND<tab>option" of each item of its lists; an option stands in the list of its command.
manual=$(awk '
    $1 == ".It" && $2 == "Cm" {
        verb = ""
        for (i = 3; i <= NF && $i ~ /^[a-z]+$/; i++) verb = verb (i > 3 ? " " : "") $i
        print verb "\t"
    }
    $1 == ".It" && $2 == "Fl" { for (i = 3; i <= NF; i++) if ($(i - 1) == "Fl") print verb "\t-" $i }' "$docs/meshctl.1")
of() { grep -E "^$1"$'\t'. <<<"$manual" | cut -f2 | sort -u; }
help=$("$ctl" --help)
fits meshctl "$help"
verbs=$(sed -n '/^$/,/^$/p' <<<"$help" | grep -oE '^  [a-z]+( [a-z]+)?' | sed 's/^ *//')
same "meshctl's commands" "$(sort <<<"$verbs")" "$(grep -E $'.\t$' <<<"$manual" | cut -f1 | sort)"
same "meshctl's own options" "$(sed -n '/^  -/p' <<<"$help" | options)" "$(of '')"
[ "$(wc -l <<<"$verbs")" -ge 15 ] || { echo "only these commands were found: $verbs"; bad=1; }
while read -r verb; do
    # shellcheck disable=SC2086
    help=$("$ctl" $verb --help)
    fits "meshctl $verb" "$help"
    described=$(sed -n 's/^  \(-[a-z-].*\)/\1/p' <<<"$help" | sed 's/  .*//' | options)
    same "meshctl $verb" "$described" "$(of "$verb")"
    # What the first line shows is described below it.
    for o in $(head -3 <<<"$help" | sed -n '/^usage/,/^$/p' | options); do
        grep -qx -- "$o" <<<"$described" || { echo "meshctl $verb --help shows $o, but does not describe it"; bad=1; }
    done
done <<<"$verbs"

help=$("$meshd" --help)
fits meshd "$help"
same meshd "$(sed -n '/^  -/p' <<<"$help" | sed 's/   .*//' | options)" \
    "$(grep -E "^\.(It|Op|Fl) ?" "$docs/meshd.8" | grep -oE "Fl -?[a-z][a-z-]*" | sed "s/^Fl /-/" | sort -u)"
help=$("$meshsim" --help)
fits meshsim "$help"
same meshsim "$(options <<<"$help" | sed 's/^-v*$/-v/' | sort -u)" "$(sed 's/\\-/-/g; s/\\f[BRI]//g' "$docs/meshsim.1" | grep -v '^\.TH' | options | grep -vxE -- '-n' | sed 's/^-v*$/-v/' | sort -u)"
exit $bad
