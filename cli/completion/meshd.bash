# Completion of meshd for bash.
_meshd() {
    local cur=$2
    COMPREPLY=()
    case $3 in
    --log) mapfile -t COMPREPLY < <(compgen -W 'error warn info debug' -- "$cur") ;;
    --udp) mapfile -t COMPREPLY < <(compgen -W 'auto portable' -- "$cur") ;;
    --state) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    --socket | --config) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    --listen | --relay) ;;
    *) mapfile -t COMPREPLY < <(compgen -W '--state --socket --listen --relay --serve-relay --config --log --udp -n --show-config --version --help' -- "$cur") ;;
    esac
}
complete -o filenames -F _meshd meshd
