#!/usr/bin/env bash
# The shells' completion: no verb and no option of --help is missing in it or there too much; contacts and transfers are the daemon's, and
# where it does not run there are none, without a word. zsh and fish are looked at where they are installed.
. "$(dirname "$0")/lib.sh"
HERE=$(cd "$(dirname "$0")/../../cli/completion" && pwd)
CTL=$BUILD/meshctl
unset MESHD_SOCKET
options() { grep -oE -- '(^|[^a-z-])--?[a-z][a-z-]*' <<<"$1" | grep -oE -- '--?[a-z][a-z-]*' | sort -u; }
same() { # WHAT HAVE WANT
    [ "$2" = "$3" ] || { echo "FAILED: $1:"; diff <(echo "$2") <(echo "$3"); FAILED=1; }
}

# meshctl knows by its tables; --help is made of texts.
verbs=$("$CTL" --help | sed -n '/^$/,/^$/p' | awk '/^  [a-z]/ {print ($2 ~ /^(add|ls|path|show|rename|rm)$/) ? $1 " " $2 : $1}')
same "the commands" "$("$CTL" complete -- '' | cut -f1 | sort -u)" "$(cut -d' ' -f1 <<<"$verbs" | sort -u)"
for group in contact transfers; do
    same "the commands of $group" "$("$CTL" complete -- "$group" '' | cut -f1 | sort)" "$(grep "^$group " <<<"$verbs" | cut -d' ' -f2 | sort)"
done
while read -r verb; do
    # shellcheck disable=SC2086
    help=$("$CTL" $verb --help </dev/null | sed '1,/^$/!b;s/\[/ [/g')
    # shellcheck disable=SC2086
    same "options of $verb" "$("$CTL" complete -- $verb -- </dev/null | cut -f1 | sort)" \
        "$({ options "$help" | grep -E '^--' | grep -vxE -- '--help|--'; printf '%s\n' --socket --state --json --help; } | sort -u)"
done <<<"$verbs"

# On a terminal of 60 columns no line of a help reaches its end.
while read -r verb; do
    # shellcheck disable=SC2086
    wide=$("$BUILD/tests/e2e_pty" 60 -- "$CTL" $verb --help </dev/null | tr -d '\r' | awk 'length($0) > 59')
    check "meshctl $verb --help on 60 columns: $wide" test -z "$wide"
done <<<"$verbs"$'\n'

# The others have lists.
for program in meshd meshsim; do
    want=$({ options "$("$BUILD/$program" --help)"; echo --help; } | grep -vxE -- '-v+|-h' | sort -u)
    bash_has=$({ grep -oE "[ ']--?[a-z][a-z-]*" "$HERE/$program.bash" | grep -oE -- '--?[a-z-]+'; } | grep -vxE -- '-(d|f|F|o|t|v|W)' | sort -u)
    same "$program for bash" "$(grep -vx -- -o <<<"$bash_has")" "$(grep -vx -- -o <<<"$want")"
    zsh_has=$(sed -n "/^_$program()/,/^}/p" "$HERE/_meshd" | grep -oE "^ *'\*?--?[a-z][a-z-]*" | grep -oE -- '--?[a-z-]*[a-z]' | grep -vx -- -v | sort -u)
    same "$program for zsh" "$zsh_has" "$want"
    fish_has=$(grep -oE ' -(l|s) [a-z-]+' "$HERE/$program.fish" | sed 's/ -l /--/; s/ -s /-/' | grep -vx -- -v | sort -u)
    same "$program for fish" "$fish_has" "$want"
done

# What the daemon knows, through bash.
complete_in_bash() { # words after meshctl, the last one as far as it is written
    bash -c '. "$1"; meshctl=$2; shift 2; COMP_WORDS=(meshctl "$@"); COMP_CWORD=$#; COMPREPLY=(); _meshctl "$meshctl" "${!#}" "" 2>&1; printf "%s\n" "${COMPREPLY[@]}"' \
        - "$HERE/meshctl.bash" "$CTL" "$@" | sort | tr '\n' ' ' | sed 's/ $//'
}
gives() { # WANT words...
    local want=$1 got
    shift
    got=$(complete_in_bash "$@")
    [ "$got" = "$want" ] || { echo "FAILED: meshctl $* completes to '$got', not '$want'"; FAILED=1; }
}
start a
start b
pair a b
ctl a contact rename b 'my bob' >/dev/null
start c
pair a c
export MESHD_SOCKET=$DIR/a/control.sock
gives 'c my\ bob' send ''
gives 'my\ bob' send m
gives 'c my\ bob' recv --from ''
gives 'c my\ bob' msgs --with ''
gives 'c my\ bob' contact rename ''
gives '' contact rename c ''
gives 'auto default direct_only relay_only' contact path c ''
gives 'relay_only' contact path c re
gives 'contact=c contact=my\ bob peer=c peer=my\ bob ready' wait --for ''
gives 'c my\ bob' wait --for peer = ''
gives 'c' wait --for peer = c
gives '' --socket "$DIR/nobody.sock" send ''
gives 'a' --state "$DIR/b" send ''
gives '' send c --timeout ''
mkdir "$DIR/some where"
touch "$DIR/some file"
gives "$DIR/some where" recv --out "$DIR/some"
gives "$DIR/some file $DIR/some where" send c "$DIR/some"
gives "$DIR/some file $DIR/some where" send c x "$DIR/some"
ctl b send a "$DIR/some file" --detach 2>/dev/null
ctl a --json transfers ls >/dev/null
for _ in $(seq 100); do [ -n "$(complete_in_bash accept '')" ] && break; sleep 0.05; done
gives '1' accept ''
gives '1' cancel ''
check "with what it is: $("$CTL" complete -- reject '')" grep -q 'from my bob, offered' <<<"$("$CTL" complete -- reject '')"
ctl a reject 1
gives '' accept ''
gives '' cancel ''
if command -v fish >/dev/null; then
    for program in meshctl meshd meshsim; do check "fish reads $program.fish" fish -n "$HERE/$program.fish"; done
    got=$(PATH=$BUILD:$PATH HOME=$DIR fish -c "source $HERE/meshctl.fish; complete -C 'meshctl send '" 2>&1 | cut -f1 | tr '\n' ,)
    check "fish: $got" test "$got" = 'c,my bob,' -o "$got" = 'my bob,c,'
fi
if command -v zsh >/dev/null; then check "zsh reads _meshd" zsh -n "$HERE/_meshd"; fi
# A name that a shell would read otherwise comes back as it is, and nothing of it is carried out.
# shellcheck disable=SC2016
for name in 'back\slash' "it's" '$(touch x)' 'a;b' 'col:on' 'a=b' '"' '*' '~'; do
    ctl a contact rename c "$name" || FAILED=1
    got=$(complete_in_bash send "${name:0:1}")
    eval "word=$got"
    check "'$name' completes to $got" test "$word" = "$name"
    ctl a contact rename "$name" c
done
stop a
gives '' send ''
check "nothing is said where no daemon runs" test -z "$("$CTL" complete -- send '' 2>&1)"
exit $FAILED
