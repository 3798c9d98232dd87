# Completion of meshsim for bash.
_meshsim() {
    local cur=$2 options commands
    options='--seed --seeds --pass --twice --set --crypto --json --html --pcap --pcap-from --pcap-to --baseline --progress -v -j --limit --out -o --scale --need-marks --print --budget --help --version'
    commands='run check swarm shrink merge probe metrics'
    COMPREPLY=()
    case $3 in
    --crypto) mapfile -t COMPREPLY < <(compgen -W 'real memo stub' -- "$cur") ;;
    --scale) mapfile -t COMPREPLY < <(compgen -W 'small medium relays' -- "$cur") ;;
    *)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        elif ((COMP_CWORD == 1)); then
            mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi
        ;;
    esac
}
complete -o filenames -F _meshsim meshsim
