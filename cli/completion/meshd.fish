# Completion of meshd for fish.
complete -c meshd -f
complete -c meshd -l state -x -a '(__fish_complete_directories)' -d 'identity, contacts and messages'
complete -c meshd -l socket -r -F -d 'control socket'
complete -c meshd -l listen -x -d 'UDP address and port'
complete -c meshd -l relay -x -d 'a relay to be reached by'
complete -c meshd -l serve-relay -d 'forward for others'
complete -c meshd -l config -r -F -d settings
complete -c meshd -l log -x -a 'error warn info debug' -d 'how much is logged'
complete -c meshd -l udp -x -a 'auto portable' -d 'how datagrams are sent'
complete -c meshd -s n -d 'check the settings'
complete -c meshd -l show-config -d 'print the settings in force'
complete -c meshd -l version -d 'print the version'
complete -c meshd -l help -d 'print a help'
