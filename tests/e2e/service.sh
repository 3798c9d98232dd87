#!/usr/bin/env bash
# As a service and left behind: SIGHUP reads the settings again, nohup and a terminal that goes away do not end it, nor does a log that
# nobody takes; a service manager and the journal are told in their own forms; the unit is one that systemd takes.
. "$(dirname "$0")/lib.sh"
SOURCE=$(cd "$(dirname "$0")/../.." && pwd)
export HOME=$DIR/home
mkdir "$HOME"
unset XDG_RUNTIME_DIR XDG_STATE_HOME XDG_CONFIG_HOME MESHD_SOCKET JOURNAL_STREAM NOTIFY_SOCKET
soon() { for _ in $(seq 200); do "$@" && return; sleep 0.05; done; return 1; }
says() { grep -qE -- "$2" "$DIR/$1.log"; }
status() { ctl "$1" --json status | grep -qF -- "$2"; }

# ---- SIGHUP
conf=$DIR/conf
printf '[node]\nlog = info\n' >"$conf"
start a --config "$conf"
check "the first settings" status a '"accept":"ask"'
printf '[node]\nlog = debug\nlisten = 127.0.0.1:1\nnetwork = other\n[files]\naccept = contacts\naccept_max = 5M\ndownload_dir = %s\n[messages]\nquota = 1M\nquota_all = 2M\n[transport]\ncongestion = reno\nudp = portable\n[relay]\nuse = 192.0.2.1:7557#mesh1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqswqwm2a\nserve = yes\nquota_per_day = 1G\n[path]\npolicy = direct_only\n[control]\nsocket = /tmp/elsewhere\n' \
    "$DIR/new" >"$conf"
chmod 600 "$conf"
kill -HUP "${PID[a]}"
check "what changed is told" soon says a "info  read the settings again from $conf: changed: log, download_dir, accept, accept_max, quota, quota_all, use, serve, quota_per_day, policy$"
# listen and socket are given on the command line or fixed by --state, so only the others of the file wait.
check "and what needs a restart" soon says a 'warn  changed settings that need a restart of meshd: .*network, congestion, udp, socket$'
for part in '"accept":"contacts"' '"accept_max_bytes":5242880' "\"download_dir\":\"$DIR/new\"" '"message_quota_bytes":2097152' \
    '"message_quota_contact_bytes":1048576' '"private":false'; do
    check "status has $part" status a "$part"
done
for line in 'accept +from contacts, up to 5.24 MB' "downloads +$DIR/new" 'network +public' "config +$conf" 'transfers +0 under way' "socket +$DIR/a/control.sock"; do
    check "the screen has: $line" grep -qE "^$line\$" <<<"$(ctl a status)"
done
printf '[node]\nlog = loud\n' >"$conf"
kill -HUP "${PID[a]}"
check "an error is told with its line" soon says a "error the settings stay as they were: $conf:2: log is 'loud', and may be: error"
check "and nothing has changed" status a '"accept":"contacts"'
rm "$conf"
kill -HUP "${PID[a]}"
check "a file that is gone" soon says a 'error the settings stay as they were: cannot read the settings in .*/conf: No such file'
mkfifo "$conf"
kill -HUP "${PID[a]}"
check "a pipe that nobody writes is not waited for" soon says a 'error the settings stay as they were: cannot read the settings in .*/conf: it is a pipe'
check "nor stands the node still" status a '"uptime_us"'
rm "$conf"
printf '[node]\nlog = info\n' >"$conf"
kill -HUP "${PID[a]}"
check "the defaults are back" soon status a '"accept":"ask"'
for _ in $(seq 50); do kill -HUP "${PID[a]}"; done
check "it lives" status a '"uptime_us"'
stop a

# ---- left behind
mkdir -p -m 700 "$DIR/n"
(trap '' HUP; exec "$BUILD/meshd" --state "$DIR/n" --listen 127.0.0.1:0 >"$DIR/n.log" 2>&1) & PID[n]=$!
ctl n wait --for ready --timeout 20s
kill -HUP "${PID[n]}"
sleep 0.3
check "an ignored SIGHUP stays ignored" test "$(grep -c 'settings' "$DIR/n.log")" = 0
check "it lives" ctl n id >/dev/null
stop n

mkfifo "$DIR/hold"
"$BUILD/tests/e2e_terminal" "$BUILD/meshd" --state "$DIR/n" --listen 127.0.0.1:0 --log debug <"$DIR/hold" >"$DIR/pid" & PID[terminal]=$!
exec 8>"$DIR/hold"
ctl n wait --for ready --timeout 20s
PID[n]=$(cat "$DIR/pid")
exec 8>&- # the terminal is hung up
sleep 0.3
ctl n ticket >/dev/null
check "it outlives its terminal" ctl n id >/dev/null
kill "${PID[n]}"
unset 'PID[n]'
wait "${PID[terminal]}"
rc=$?
unset 'PID[terminal]'
check "and ends in order: $rc" test $rc = 0

# ---- a log that nobody takes
exec 8> >(exit 0)
sleep 0.2
"$BUILD/meshd" --state "$DIR/n" --listen 127.0.0.1:0 --log debug 2>&8 & PID[n]=$!
exec 8>&-
ctl n wait --for ready --timeout 20s
check "a log whose reader is gone" ctl n ticket >/dev/null
stop n
mkfifo "$DIR/full"
exec 8<>"$DIR/full"
head -c 65536 /dev/zero | timeout 5 dd bs=4096 >&8 2>/dev/null # as much as it holds
timeout 0.2 bash -c 'printf x >&8' && { echo "FAILED: the pipe is not full"; FAILED=1; }
"$BUILD/meshd" --state "$DIR/n" --listen 127.0.0.1:0 2>&8 & PID[n]=$!
check "a log that is full stops nobody" ctl n wait --for ready --timeout 10s
ctl n ticket --name x >/dev/null
timeout 1 head -c 65536 <&8 >/dev/null
kill -HUP "${PID[n]}"
check "afterwards it says what is missing" timeout 5 grep -qaE -m1 'warn  [0-9]+ lines before this one were lost' <&8
stop n
exec 8>&-

# ---- a service manager, and the journal
"$BUILD/tests/e2e_manager" "$DIR/notify" >"$DIR/told" & PID[manager]=$!
soon test -S "$DIR/notify"
export NOTIFY_SOCKET=$DIR/notify
start a --config "$conf"
unset NOTIFY_SOCKET
check "ready is told" soon grep -qx 'READY=1' "$DIR/told"
kill -HUP "${PID[a]}"
check "so is reading again" soon grep -qxE 'RELOADING=1\|MONOTONIC_USEC=[0-9]+' "$DIR/told"
check "and that it is over" soon test "$(soon grep -c 'READY=1' "$DIR/told")" = 2
stop a
check "and the end" soon grep -qx 'STOPPING=1' "$DIR/told"
stop manager

: >"$DIR/a.log"
JOURNAL_STREAM=$(stat -c %d:%i "$DIR/a.log") start a --config "$conf"
printf 'x\n' >"$conf"; kill -HUP "${PID[a]}"
check "an error has the journal's prefix" soon grep -qE '^<3>the settings stay as they were: ' "$DIR/a.log"
check "news, too, and no time" grep -qE '^<6>ready: ' "$DIR/a.log"
check "every line" test "$(grep -vcE '^<[3467]>' "$DIR/a.log")" = 0
stop a
JOURNAL_STREAM=$(stat -c %d:%i "$DIR/a.log") "$BUILD/meshd" --config "$conf" -n 2>>"$DIR/a.log"
check "settings that are wrong, too" grep -qE '^<3>.*conf:1: ' "$DIR/a.log"
JOURNAL_STREAM=1:1 start a
check "another stream than the journal's is as ever" says a '^20[0-9-]+T[0-9:.]+ info  ready: '
stop a

# ---- the unit
if [ "$(uname)" = Linux ] && command -v cmake >/dev/null; then
    cmake --install "$BUILD" --prefix "$DIR/prefix" >/dev/null 2>"$DIR/install" || { cat "$DIR/install"; FAILED=1; }
    unit=$DIR/prefix/share/systemd/user/meshd.service
    check "the unit starts what was installed" grep -qx "ExecStart=$DIR/prefix/bin/meshd" "$unit"
    if command -v systemd-analyze >/dev/null; then
        mkdir -m 700 "$DIR/run"
        XDG_RUNTIME_DIR=$DIR/run systemd-analyze verify --user --man=no "$unit" 2>"$DIR/verify" || { cat "$DIR/verify"; FAILED=1; }
        check "systemd has nothing to say about it: $(cat "$DIR/verify")" test "$(grep -c meshd "$DIR/verify")" = 0
    fi
fi

# ---- what it forbids is not needed: every system call of a node that starts, pairs and receives is in the group that the unit allows.
allowed() { # GROUP: its calls, with those of the groups in it
    local one
    systemd-analyze syscall-filter "$1" 2>/dev/null | sed -n '2,$p' | grep -oE '^ +[@a-z0-9_-]+' | while read -r one; do
        case "$one" in @*) allowed "$one" ;; *) echo "$one" ;; esac
    done
}
if command -v strace >/dev/null && command -v systemd-analyze >/dev/null; then
    allowed @system-service | sort -u >"$DIR/allowed"
    start a
    strace -f -qq -o "$DIR/calls" "$BUILD/meshd" --state "$DIR/n" --listen 127.0.0.1:0 2>/dev/null & PID[strace]=$!
    ctl n wait --for ready --timeout 20s
    ctl n ticket --name a | ctl a contact add n - >/dev/null && ctl a wait --for peer=n --timeout 20s
    mkdir "$DIR/in"
    head -c 20000000 /dev/urandom >"$DIR/f"
    ctl n recv --out "$DIR/in" --once >/dev/null 2>&1 & PID[recv]=$!
    sleep 0.3
    ctl a send n "$DIR/f" >/dev/null 2>&1
    wait "${PID[recv]}"
    unset 'PID[recv]'
    check "a download under its eyes" cmp "$DIR/f" "$DIR/in/f"
    kill "$(cat "$DIR/n/lock")"
    wait "${PID[strace]}"
    unset 'PID[strace]'
    grep -oE '^[0-9]+ +[a-z0-9_]+\(' "$DIR/calls" | sed -E 's/^[0-9]+ +//; s/\(//' | sort -u >"$DIR/called"
    check "calls were seen" test "$(wc -l <"$DIR/called")" -gt 40
    check "the unit allows them all but: $(comm -23 "$DIR/called" "$DIR/allowed" | tr '\n' ' ')" test -z "$(comm -23 "$DIR/called" "$DIR/allowed")"
    check "no memory is writable and executable" test -z "$(grep -E '(mmap|mprotect)\(.*PROT_WRITE\|PROT_EXEC' "$DIR/calls")"
    stop a
fi
exit $FAILED
