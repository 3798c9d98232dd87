#!/usr/bin/env bash
# Imports run one way (docs/ARCHITECTURE.md): tests/rules/rooms says for every folder which others it may import, and has no circle but for debts.
# Prints each include that breaks it, with the row it breaks. The sans-IO rooms include nothing of the operating system.
set -eu
cd "$1"
rooms='crypto net node cli sim'
sources() { find "$1" ${2:+-path "$2" -prune -o} -name '*.[ch]' -type f -print; }
bad=0
all=$(for room in $rooms; do sources "$room"; done | sort)
{ sed 's/^/file /' <<<"$all"; xargs grep -nHE '^[[:space:]]*#[[:space:]]*include' <<<"$all"; } | awk -v table=tests/rules/rooms '
    function fail(text) { print text; bad = 1 }
    function folder(path) { return match(path, /\/[^\/]*$/) ? substr(path, 1, RSTART - 1) : "" }
    BEGIN {
        while ((getline line < table) > 0) {
            if (line ~ /^#/ || line ~ /^[ \t]*$/) continue
            n = split(line, word, /[ \t]+/)
            from = word[1]; sub(/:$/, "", from)
            row[from] = line
            for (i = 2; i <= n; i++) {
                to = word[i]
                debt = sub(/^!/, "", to)
                allowed[from, to] = 1
                if (!debt) { need[from, to] = 1; edges[from]++ }
            }
        }
        for (e in need) { split(e, p, SUBSEP); users[p[2]]++ }
        do { # whoever imports nobody that is left, or is imported by nobody that is left, is in no circle
            again = 0
            for (f in row) if (!done[f] && (!edges[f] || !users[f])) {
                done[f] = 1; again = 1
                for (g in row) {
                    if ((g, f) in need) { delete need[g, f]; edges[g]-- }
                    if ((f, g) in need) { delete need[f, g]; users[g]-- }
                }
            }
        } while (again)
        for (f in row) if (!done[f]) fail("tests/rules/rooms: in a circle of folders, which none may be: " row[f])
    }
    # A folder whose sources include nothing needs a row, too.
    $1 == "file" { first[folder($2)] = $2; next }
    {
        split($0, part, ":")
        file = part[1]; at = file ":" part[2]; from = folder(file); seen[from] = 1
        text = $0; sub(/^[^:]*:[^:]*:/, "", text)
        if (!(from in row)) { if (!told[from]++) fail(file ": the folder has no row in " table ", which says what it may import"); next }
        if (match(text, /"[^"]*"/)) {
            what = substr(text, RSTART + 1, RLENGTH - 2); to = folder(what)
            if (to == from && what !~ /\.\./) next
            if ((from, to) in allowed && what !~ /\.\./) { used[from, to] = 1; next }
            fail(at ": \"" what "\"   rule: " row[from])
        } else if (text ~ /<(\.|crypto\/|net\/(base|cc|io|os|path|recovery|session|transport|wire|[a-z_]*\.h)|node\/|sim\/|cli\/|tests\/)/)
            fail(at ": ours in angle brackets: " text)
    }
    END {
        for (f in first) if (!(f in row) && !told[f]) fail(f ": the folder has no row in " table ", which says what it may import")
        for (f in row) if (!seen[f]) fail("tests/rules/rooms: nothing was checked in " f)
        for (e in allowed) if (!(e in used)) { split(e, p, SUBSEP); fail("tests/rules/rooms: " p[1] " imports nothing of " p[2] " (any more)") }
        exit bad
    }' || bad=1
# No source outside the rooms that the rules know.
others=$(find . -name '*.[ch]' -type f -not -path './build/*' -not -path './.git/*' |
    grep -vE '^\./(crypto|net|node|sim|cli|tests)/' || true)
[ -z "$others" ] || { printf 'sources in no room:\n%s\n' "$others"; bad=1; }
# The sans-IO rooms include no header of the operating system, of libuv or of threads.
hits=$({ sources crypto; sources net 'net/[io][os]'; sources node node/daemon; } |
    xargs grep -nHE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"](uv|sys/|netinet/|arpa/|netdb|unistd|fcntl|dirent|pthread|threads|signal|time|poll|sqlite3|linux/)" |
    grep -v 'sys/auxv.h' || true) # auxv: what the CPU can do, a constant
if [ -n "$hits" ]; then
    printf 'operating system in the sans-IO rooms:\n%s\n' "$hits"
    bad=1
fi
exit $bad
