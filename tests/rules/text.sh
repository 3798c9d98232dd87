#!/usr/bin/env bash
# How a source looks, where clang-format does not say it. Prints each place and the rule that it breaks.
#   - no line is longer than 100 characters;
#   - a header begins with a comment that names it, and so does a source without a header of its own;
#   - no source outside of tests/ has more than 500 lines.
set -eu
cd "$1"
bad=0
sources() { find crypto net node cli sim "$@" -name '*.[ch]' -type f | LC_ALL=C sort; }
# Characters, not bytes: what UTF-8 goes on with is not counted.
long=$(sources tests | LC_ALL=C xargs awk '{ line = $0; gsub(/[\200-\277]/, "", line) } length(line) > 100 { print FILENAME ":" FNR ": " length(line) " characters" }')
[ -z "$long" ] || { printf '%s\nrule: no line is longer than 100 characters\n' "$long"; bad=1; }
headless=$(sources | xargs awk '
    function header(file) { sub(/c$/, "h", file); return (getline line < file) >= 0 }
    FNR == 1 {
        name = FILENAME; sub(/.*\//, "", name)
        if (index($0, "/* " name ": ") != 1 && !(name ~ /\.c$/ && header(FILENAME))) print FILENAME
    }')
[ -z "$headless" ] || { printf '%s\nrule: it begins with "/* NAME: what it is"\n' "$headless"; bad=1; }
large=$(sources | xargs awk 'FNR == 501 { print FILENAME ": more than 500 lines" }')
[ -z "$large" ] || { printf '%s\nrule: split it\n' "$large"; bad=1; }
exit $bad
