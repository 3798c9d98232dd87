# Completion of meshctl for bash: meshctl itself knows what may come next.
_meshctl() {
    local i line word before last=0
    local -a words=("")
    # bash takes = and : for ends of words.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == [=:]* || ($last > 0 && ${words[last]} == *[=:]) ]] && ((last > 0)); then
            words[last]+=$word
        else
            words[++last]=$word
        fi
    done
    before=${words[last]%"${COMP_WORDS[COMP_CWORD]#[=:]}"}
    COMPREPLY=()
    while IFS= read -r line; do
        word=${line%%$'\t'*}
        if [[ -n $word ]]; then
            word=${word#"$before"}
            printf -v word %q "$word"
            COMPREPLY+=("$word")
        elif [[ $line == $'\tdirs' ]]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "${words[last]}")
        elif [[ $line == $'\tfiles' ]]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${words[last]}")
        fi
    done < <("${1/#\~/$HOME}" complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _meshctl meshctl
