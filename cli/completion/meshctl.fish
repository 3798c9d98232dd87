# Completion of meshctl for fish: meshctl itself knows what may come next.
function __meshctl_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] complete -- $words[2..-1] 2>/dev/null)
        switch $line
            case \tdirs
                __fish_complete_directories (commandline -ct)
            case \tfiles
                __fish_complete_path (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c meshctl -f -a '(__meshctl_complete)'
