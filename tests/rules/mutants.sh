#!/usr/bin/env bash
# What is installed (arguments) has nothing of the mutants and planted bugs that tests build: neither their names nor their switches. The
# test's own program (first argument) shows that they would be seen.
set -eu
mutant=$1
shift
bad=0
words='MESHSIM_MUTANT|send-refuses|hasty-receipt|message-astray|__wrap_node_send|__wrap_replay_check'
found() {
    { nm "$1" 2>/dev/null || true; strings -a "$1"; } | grep -E "$words" || true
}
[ "$(found "$mutant" | wc -l)" -ge 6 ] || { echo "$mutant shows no mutant: this rule sees nothing"; bad=1; }
for program in "$@"; do
    hits=$(found "$program")
    [ -z "$hits" ] || { echo "$program contains: $(echo $hits)"; bad=1; }
done
if grep -rlE 'MESHSIM_MUTANT|MUTANT_' crypto net node cli sim; then
    echo "a source outside the tests knows of mutants"
    bad=1
fi
exit $bad
