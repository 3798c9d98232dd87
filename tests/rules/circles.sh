#!/usr/bin/env bash
# No circle of files, and none of folders: nobody needs, however indirectly, what needs him. Told from the compiled objects (nm) in
# BUILD.
#   circles.sh SOURCE BUILD [LEAST]
# Prints each circle with the symbols that close it. A symbol that several files define counts inside one top-level folder only.
set -eu
source=$1 build=$2
rule='tests/rules/circles.sh: a file needs only files below it, a folder only folders below it'
# A build knows objects of sources that are no more.
objects=$(find "$build" -name '*.o' | grep -E '\.dir/(crypto|net|node|cli|sim)/.*\.c\.o$' | sort | while read -r object; do
    file=${object##*.dir/}
    [ ! -f "$source/${file%.o}" ] || echo "$object"
done)
[ "$(wc -l <<<"$objects")" -ge "${3:-200}" ] || { echo "$build: too few objects to say anything"; exit 1; }
xargs nm -A <<<"$objects" | awk -v rule="$rule" '
    function room(f) { return substr(f, 1, index(f, "/") - 1) }
    function folder(f) { match(f, /\/[^\/]*$/); return substr(f, 1, RSTART - 1) }
    function arrow(kind, from, to, what) {
        if (from == to || (kind, from, to) in edge) { if (from != to && split(edge[kind, from, to], x, " ") < 4) edge[kind, from, to] = edge[kind, from, to] " " what; return }
        edge[kind, from, to] = what; node[kind, from]; node[kind, to]
    }
    {
        file = $1; sub(/:.*/, "", file); sub(/.*\.dir\//, "", file); sub(/\.o$/, "", file)
        name = $NF; type = $(NF - 1)
        if (type ~ /^[TDRBVWC]$/) { if (!((name, file) in defines)) { defines[name, file]; homes[name] = homes[name] " " file } }
        else if (type == "U") { if (!((file, name) in needs)) needs[file, name] }
    }
    END {
        for (key in needs) {
            split(key, part, SUBSEP)
            if (!(part[2] in homes) || (part[2], part[1]) in defines) continue
            n = split(homes[part[2]], home, " ")
            for (i = 1; i <= n; i++)
                if (n == 1 || room(home[i]) == room(part[1])) {
                    arrow("file", part[1], home[i], part[2])
                    arrow("folder", folder(part[1]), folder(home[i]), part[2])
                }
        }
        # Whoever needs nobody that is left, or is needed by nobody that is left, is in no circle.
        for (key in edge) { split(key, part, SUBSEP); out[part[1], part[2]]++; in_[part[1], part[3]]++ }
        do {
            again = 0
            for (n in node) if (!(n in gone) && (!out[n] || !in_[n])) {
                gone[n]; again = 1
                for (key in edge) {
                    split(key, part, SUBSEP)
                    from = part[1] SUBSEP part[2]; to = part[1] SUBSEP part[3]
                    if (to == n && !(from in gone)) out[from]--
                    if (from == n && !(to in gone)) in_[to]--
                }
            }
        } while (again)
        for (key in edge) {
            split(key, part, SUBSEP)
            if (!((part[1], part[2]) in gone) && !((part[1], part[3]) in gone)) {
                print "in a circle of " part[1] "s: " part[2] " needs " part[3] ": " edge[key]; bad = 1
            }
        }
        if (bad) print "rule: " rule
        exit bad
    }'
