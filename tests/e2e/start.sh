#!/usr/bin/env bash
# Every way in which meshd can fail to start: the documented exit code, and one sentence on standard error that says what is concerned,
# the cause and what to do about it. Nothing is changed by it: with the cause away, the node starts and is who it was.
. "$(dirname "$0")/lib.sh"
chmod 711 "$DIR" # an unprivileged meshd must get through
export HOME=$DIR/home
mkdir "$HOME"
unset XDG_RUNTIME_DIR XDG_STATE_HOME XDG_CONFIG_HOME MESHD_SOCKET
cp "$BUILD/meshd" "$DIR/meshd"
S=$DIR/s
start s
ctl s ticket --name somebody >/dev/null
ID=$(ctl s id)
stop s
rm "$S/port"
cp -a "$S" "$DIR/good"

# run AS OPTION...: AS is me or nobody (without the rights that let root past every permission).
as_nobody=
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"; fi
run() {
    local as=
    [ "$1" = me ] || as=$as_nobody
    shift
    # shellcheck disable=SC2086
    timeout 20 ${LIMIT:-} $as "$DIR/meshd" --listen 127.0.0.1:0 "$@" 2>"$DIR/err" >"$DIR/out"
}
# is_no CODE AS PATTERN OPTION...: CODE, and one line that has the pattern; standard output stays empty.
cases=0
is_no() {
    local want=$1 as=$2 pattern=$3 rc
    shift 3
    run "$as" "$@"
    rc=$?
    cases=$((cases + 1))
    grep -E ' error |^meshd: ' "$DIR/err" >"$DIR/said"
    if [ "$rc" != "$want" ] || [ "$(wc -l <"$DIR/said")" != 1 ] || ! grep -qE -- "$pattern" "$DIR/said" || [ -s "$DIR/out" ]; then
        echo "FAILED: $* gave $rc (expected $want, and: $pattern) and said:"
        cat "$DIR/err"
        FAILED=1
    fi
}
refused() { is_no 1 me "$1" --state "$S"; again; }
again() { chattr -i "$S"/* 2>/dev/null; rm -rf "$S"; cp -a "$DIR/good" "$S"; }

# ---- the list of unfinished files
printf x >"$S/partials.x"; rmdir "$S/partials"; mv "$S/partials.x" "$S/partials"
refused "cannot use $S/partials: Not a directory; .*move it away"
rmdir "$S/partials"; ln -s "$DIR" "$S/partials"
refused "cannot use $S/partials: .*; .*move it away"

# ---- the state directory
is_no 1 me "cannot make the state directory $S/lock/x: Not a directory; .*--state" --state "$S/lock/x"
is_no 1 me "cannot make the state directory $S/lock: Not a directory; .*--state" --state "$S/lock"
is_no 1 me 'cannot make the state directory /proc/nowhere: .*; .*--state' --state /proc/nowhere
is_no 2 me 'the path is empty' --state ''
for mode in 770 750 707 701; do
    chmod $mode "$S"
    refused "others can reach $S, .*mode $mode.*chmod 700 '$S'"
done
if [ -n "$as_nobody" ]; then
    is_no 1 nobody "cannot open the state directory $S: Permission denied; give the user .*--state" --state "$S"
    chmod 755 "$S"
    is_no 1 nobody "$S belongs to another user \(uid 0\), and meshd runs as uid 65534; .*--state" --state "$S"
    again
    mkdir -m 711 "$DIR/closed"
    is_no 1 nobody "cannot make the state directory $DIR/closed/x: Permission denied; .*uid|access.*--state" --state "$DIR/closed/x"
fi
rm "$S/lock"; mkdir "$S/lock"
refused "cannot lock $S/lock: File exists; .*move it away"
rm "$S/lock"; ln -s /nowhere "$S/lock"
refused "cannot lock $S/lock: .*symbolic link"
"$DIR/meshd" --state "$S" --listen 127.0.0.1:0 2>/dev/null & PID[s]=$!
ctl s wait --for ready --timeout 10s
is_no 1 me "another meshd, process ${PID[s]} is already running on $S; .*--state" --state "$S" --socket "$DIR/x.sock"
# ---- the control socket, while there is one
mkdir -m 700 "$DIR/t"
is_no 1 me "another meshd answers at $S/control.sock; .*--socket" --state "$DIR/t" --socket "$S/control.sock"
# ---- the port, while one is taken
port=$(ctl s --json status | grep -oE '127\.0\.0\.1:[0-9]+' | head -1)
is_no 1 me "cannot listen on UDP $port: another program has the port; .*--listen" --state "$DIR/t" --listen "$port"
stop s KILL
check "a socket that a killed meshd left is in nobody's way" test -S "$S/control.sock"
start s
check "who it was" test "$(ctl s id)" = "$ID"
stop s
again
long=$DIR/$(printf 'x%.0s' $(seq 110))
is_no 2 me "path is too long: [0-9]+ bytes, the system takes 103; .*--socket" --state "$S" --socket "$long"
is_no 2 me 'too long.*--socket' --state "$DIR/$(printf 'x%.0s' $(seq 110))"
printf x >"$DIR/file"
is_no 1 me "$DIR/file is in the way of the control socket; move it away.*--socket" --state "$S" --socket "$DIR/file"
is_no 1 me "$DIR/t is in the way of the control socket" --state "$S" --socket "$DIR/t"
is_no 1 me "cannot make the control socket's directory $DIR/file: Not a directory; .*--socket" --state "$S" --socket "$DIR/file/c.sock"
mkdir -m 777 "$DIR/open"; chmod 777 "$DIR/open"
is_no 1 me "others can replace what is in $DIR/open .*--socket.*chmod 700 '$DIR/open'" --state "$S" --socket "$DIR/open/c.sock"
check "the file in its way is as it was" test "$(cat "$DIR/file")" = x

# ---- addresses
for bad in 127.0.0.1 localhost:7557 127.0.0.1:70000 '[::1' '' :7557; do
    is_no 2 me "^meshd: --listen: '.*' is not an address and port \(192.0.2.1:7557" --state "$S" --listen "$bad"
done
is_no 2 me "--listen: '127.0.0.1:9' is given twice" --state "$S" --listen 127.0.0.1:9 --listen 127.0.0.1:9
is_no 1 me 'cannot listen on UDP 192.0.2.77:0: this machine does not have the address .*--listen' --state "$S" --listen 192.0.2.77:0
relay=mesh1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqswqwm2a
is_no 2 me "^meshd: --relay: 'r.de:1' is no relay: the relay's key is missing; expected HOST:PORT#mesh1" --state "$S" --relay r.de:1
is_no 2 me "--relay: 'r.de:0#mesh1q[a-z0-9]+' is no relay: the port is no number from 1 to 65535" --state "$S" --relay "r.de:0#$relay"
is_no 2 me "--relay: 'r.de:1#mesh1q[a-z0-9]+' is no relay: what follows '#' is no node id" --state "$S" --relay "r.de:1#${relay}x"
is_no 2 me "--relay: relay 's.de:1#mesh1q[a-z0-9]+' has the id of another one that is given; of one relay give one address" --state "$S" --relay "r.de:1#$relay" --relay "s.de:1#$relay"
is_no 2 me "--relay: 'a\\\\x1b\\[31mb:7557#mesh1q[a-z0-9]+' is no relay" --state "$S" --relay $'a\x1b[31mb:7557#'"$relay"
is_no 2 me "--relay: 'r.de:1#${relay%?}x' is no relay: .* is mistyped or missing" --state "$S" --relay "r.de:1#${relay%?}x"
is_no 2 me "--relay: relay 'r.de:1#mesh1q[a-z0-9]+' is given twice" --state "$S" --relay "r.de:1#$relay" --relay "r.de:1#$relay"
printf '[relay]\n\nuse = 192.0.2.1:1#%s, ::1:7557#%s\n' $relay $relay >"$DIR/relay.conf"
is_no 2 me "$DIR/relay.conf:3: '::1:7557#mesh1q[a-z0-9]+' is no relay: an IPv6 address stands in brackets" --state "$S" --config "$DIR/relay.conf"
is_no 2 me "unexpected argument 'x'" --state "$S" x

# ---- the identity
mv "$S/identity" "$S/other"; ln -s other "$S/identity"
refused "$S/identity is a symbolic link; put the file itself there"
rm "$S/identity"; mkdir "$S/identity"
refused "$S/identity is a directory; .*move that away"
: >"$S/identity"
refused "$S/identity is empty; put a copy of it back; .*begin anew.*meshd.db\\* away"
truncate -s 100 "$S/identity"
refused "$S/identity is damaged.*; put a copy of it back"
truncate -s 1000000 "$S/identity"
refused "$S/identity is too large.*; put a copy of it back"
head -c 200 /dev/urandom >"$S/identity"
refused "$S/identity is damaged.*; put a copy of it back"
for mode in 640 604 660; do
    chmod $mode "$S/identity"
    refused "others can reach the secrets in $S/identity .*chmod 600 '$S/identity'"
done
# Of one that was killed: what it has stored since is in the log beside the database, and what is advised loses none of it.
start s
ctl s ticket --name another >/dev/null
stop s KILL
rm "$S/port" "$S/identity"
check "there is a log" test -s "$S/meshd.db-wal"
mkdir "$DIR/copy"; cp -a "$S"/meshd.db* "$DIR/copy"
is_no 1 me "$S/identity is missing, and meshd.db .*put a copy of it back, or begin anew.*: mkdir '$S/old' && mv '$S'/meshd.db\\* '$S/old'" --state "$S"
cp "$DIR/said" "$DIR/advice"
check "no new identity was made" test ! -e "$S/identity"
mv "$S/meshd.db" "$S/moved"
is_no 1 me "$S/meshd.db is missing, and $S/meshd.db-wal beside it has contacts and messages of it; put the database back" --state "$S"
: >"$S/meshd.db"; chmod 600 "$S/meshd.db"
is_no 1 me "$S/meshd.db is empty, and $S/meshd.db-wal beside it" --state "$S"
mv "$S/moved" "$S/meshd.db"; rm "$S/identity"
sh -c "$(sed -n 's/.*with: mkdir/mkdir/p' "$DIR/advice")" || { echo "FAILED: what is advised"; FAILED=1; }
for f in "$DIR/copy"/meshd.db*; do check "${f##*/} is kept" cmp "$f" "$S/old/${f##*/}"; done
start s
check "begun anew" grep -q "made a new identity: $S/identity" "$DIR/s.log"
check "as another" test "$(ctl s id)" != "$ID"
stop s
again
if [ -n "$as_nobody" ]; then
    chown -R 65534 "$S"; chown 0 "$S/identity"
    is_no 1 nobody "$S/identity belongs to another user \(uid 0\).*chown 65534 '$S/identity'" --state "$S"
    again
    chown -R 65534 "$S"; chmod 000 "$S/identity"
    is_no 1 nobody "cannot read $S/identity: Permission denied; give the user" --state "$S"
    again
fi

# ---- the database
head -c 30000 /dev/urandom >"$S/meshd.db"
refused "$S/meshd.db is damaged: put a copy of it back, or move it away"
truncate -s 4096 "$S/meshd.db"
refused "$S/meshd.db is damaged: put a copy of it back, or move it away"
rm "$S/meshd.db"; mkdir "$S/meshd.db"
refused "$S/meshd.db is a directory; .*move that away"
mv "$S/meshd.db" "$S/x.db"; ln -s x.db "$S/meshd.db"
refused "$S/meshd.db is a symbolic link"
chmod 644 "$S/meshd.db"
refused "chmod 600 '$S/meshd.db'"
printf x >"$S/meshd.db-wal"; chmod 666 "$S/meshd.db-wal"
refused "chmod 600 '$S/meshd.db-wal'"
if command -v sqlite3 >/dev/null; then
    sqlite3 "$S/meshd.db" 'PRAGMA user_version = 99'
    refused "$S/meshd.db was made by a newer meshd \(schema 99, .*move the file away"
    rm "$S/meshd.db"; sqlite3 "$S/meshd.db" 'CREATE TABLE recipes(name)'; chmod 600 "$S/meshd.db"
    is_no 1 me "$S/meshd.db is no database of meshd's .*move it away" --state "$S"
    check "nothing was added to it" test "$(sqlite3 "$S/meshd.db" .tables)" = recipes
    again
    mkfifo "$DIR/fifo"
    sqlite3 "$S/meshd.db" <"$DIR/fifo" >/dev/null & PID[sqlite]=$!
    exec 7>"$DIR/fifo"
    echo 'BEGIN EXCLUSIVE; INSERT INTO kv VALUES("x", "x", "x"); SELECT 1;' >&7
    for _ in $(seq 100); do [ -s "$S/meshd.db-wal" ] && break; sleep 0.02; done
    chmod 600 "$S"/meshd.db*
    is_no 1 me "another program has $S/meshd.db open; end it" --state "$S"
    exec 7>&-
    wait "${PID[sqlite]}"
    unset "PID[sqlite]"
    again
fi
if [ -n "$as_nobody" ]; then
    chown -R 65534 "$S"; chmod 400 "$S/meshd.db"
    is_no 1 nobody "cannot use the database $S/meshd.db: Permission denied; give the user" --state "$S"
    again
fi

# ---- few descriptors
for n in 8 10 20 63; do
    LIMIT="prlimit --nofile=$n:$n"
    is_no 1 me "only $n files may be open at once, and meshd needs 64; .*ulimit -n 64" --state "$S"
    LIMIT=
done

# ---- a file system that is full, and one that is read-only
if [ "$(id -u)" = 0 ] && mkdir "$DIR/small" && mount -t tmpfs -o size=256k,mode=700 tmpfs "$DIR/small" 2>/dev/null; then
    EXTRA_CLEANUP="umount $DIR/small"
    cp -a "$DIR/good" "$DIR/small/s"
    head -c 1000000 /dev/zero >"$DIR/small/fill" 2>/dev/null
    is_no 1 me "cannot make the state directory $DIR/small/new: No space left on device; free some space.*--state|$DIR/small/new/.*: No space left.*free some space" --state "$DIR/small/new" --socket "$DIR/t/c.sock"
    # One that is there starts with a full disk; what cannot be stored is told, with the file that has no room.
    "$DIR/meshd" --state "$DIR/small/s" --socket "$DIR/t/c.sock" --listen 127.0.0.1:0 2>"$DIR/full.log" & PID[full]=$!
    "$BUILD/meshctl" --socket "$DIR/t/c.sock" wait --for ready --timeout 10s
    expect 9 'disk|space' "$BUILD/meshctl" --socket "$DIR/t/c.sock" ticket
    stop full
    check "the log names the database" test "$(grep -cE " error cannot use the database $DIR/small/s/meshd.db: No space left on device; free some space on its" "$DIR/full.log")" = 1
    rm "$DIR/small/fill"
    mount -o remount,ro "$DIR/small"
    is_no 1 me "cannot lock $DIR/small/s/lock: Read-only file system; mount its file system writable.*--state" --state "$DIR/small/s"
    is_no 1 me "cannot make the state directory $DIR/small/other: Read-only file system" --state "$DIR/small/other"
    mount -o remount,rw "$DIR/small"
fi

# ---- the settings: told by -n with the same words
bad_settings() { # PATTERN TEXT
    printf "$2" >"$DIR/conf"
    is_no 2 me "^meshd: $DIR/conf:$1" --state "$S" --config "$DIR/conf"
    cp "$DIR/said" "$DIR/said.start"
    is_no 2 me "^meshd: $DIR/conf:$1" --state "$S" --config "$DIR/conf" -n
    check "-n says the same" cmp "$DIR/said" "$DIR/said.start"
}
bad_settings '1: there is no section \[fils\]; there are: node, files' '[fils]\n[node]\nlog = info\n'
bad_settings '2: .*loud.*error, warn, info, debug' '[node]\nlog = loud\n'
bad_settings '3: log is given twice' '[node]\nlog = info\nlog = info\n'
bad_settings '2: .*not UTF-8' '[node]\nlog = \377\n'
bad_settings '2: .*variables' '[files]\ndownload_dir = $HOME/in\n'
is_no 2 me "cannot read the settings in $DIR/none: No such file or directory; make the file" --state "$S" --config "$DIR/none"
mkfifo "$DIR/pipe"
is_no 2 me "cannot read the settings in $DIR/pipe: it is a pipe, .*put them into a file" --state "$S" --config "$DIR/pipe"
is_no 2 me "cannot read the settings in $DIR: Is a directory; .*--config" --state "$S" --config "$DIR"
is_no 2 me "--log: 'loud' may be: error, warn, info, debug" --state "$S" --log loud
is_no 2 me "--udp: 'x' may be: auto, portable" --state "$S" --udp x
mkdir -p "$HOME/.config/meshd"; printf 'log = info\n' >"$HOME/.config/meshd/meshd.conf"
is_no 2 me "^meshd: $HOME/.config/meshd/meshd.conf:1: .*before any section" --state "$S"
rm -r "$HOME/.config"
(unset HOME; is_no 2 me 'no place for the state: set \$HOME or give --state'; exit $FAILED) || FAILED=1

start s
check "after all that it is who it was" test "$(ctl s id)" = "$ID"
check "$cases ways were tried" test $cases -gt 75
exit $FAILED
