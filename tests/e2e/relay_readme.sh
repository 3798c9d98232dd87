#!/usr/bin/env bash
# "Your own relay in two minutes" in README.md, as it stands there: its commands do what they say in an empty home, and its unit for
# systemd is one that systemd takes and that meshd starts with.
. "$(dirname "$0")/lib.sh"
SOURCE=$(cd "$(dirname "$0")/../.." && pwd)
export HOME=$DIR/home
mkdir "$HOME"
unset XDG_RUNTIME_DIR XDG_STATE_HOME XDG_CONFIG_HOME MESHD_SOCKET JOURNAL_STREAM NOTIFY_SOCKET
sed -n '/^## Your own relay/,/^## What it does/p' "$SOURCE/README.md" | grep '^    ' | sed 's/^    //' >"$DIR/lines"

# ---- the settings, on the relay and on those who use it: in a home where there are none, and where there are some
conf=$HOME/.config/meshd/meshd.conf
grep 'serve = yes' "$DIR/lines" >"$DIR/serve.sh"
grep 'use = ' "$DIR/lines" | sed 's/mesh1\.\.\./mesh1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqswqwm2a/' >"$DIR/use.sh"
for what in serve use; do
    rm -rf "$HOME/.config"
    check "$what: there is one line" test "$(wc -l <"$DIR/$what.sh")" = 1
    check "$what: in an empty home" bash -e "$DIR/$what.sh"
    check "$what: good settings" "$BUILD/meshd" -n
    printf '[files]\naccept = contacts\n' >"$conf"
    check "$what: beside others" bash -e "$DIR/$what.sh"
    check "$what: which stay" grep -q 'accept = contacts' <<<"$("$BUILD/meshd" --show-config)"
done
check "they are what they say" grep -q '^use = relay.example.org:7557#mesh1qyq' <<<"$("$BUILD/meshd" --show-config)"

# ---- the unit
sed -n '/^\[Unit\]/,/^WantedBy/p' "$DIR/lines" | sed "s,/usr/local/bin/meshd,$BUILD/meshd," >"$DIR/meshd-relay.service"
check "there is a unit" grep -q '^ExecStart=' "$DIR/meshd-relay.service"
if command -v systemd-analyze >/dev/null; then
    check "systemd takes it" systemd-analyze verify "$DIR/meshd-relay.service"
fi
unit() { sed -n "s/^$1=//p" "$DIR/meshd-relay.service"; }
check "it has a state directory" test "$(unit StateDirectory)" = meshd
mode=$(unit StateDirectoryMode)
mkdir -p "$DIR/private/meshd" # as systemd makes it for DynamicUser
chmod "${mode:-0755}" "$DIR/private/meshd"
ln -s private/meshd "$DIR/state"
command=$(unit ExecStart)
command=${command//\/var\/lib\/meshd/$DIR/state}
HOME=/ $command --listen 127.0.0.1:0 >"$DIR/unit.log" 2>&1 &
PID[unit]=$!
timeout 20 "$BUILD/meshctl" --state "$DIR/state" wait --for ready >/dev/null || { echo "FAILED: the unit's meshd starts"; FAILED=1; }
check "it serves" grep -q 'serves others' <<<"$("$BUILD/meshctl" --state "$DIR/state" status)"
looked_for=$(sed -n "s/^journalctl .*grep '\([^']*\)'.*/\1/p" "$DIR/lines")
check "its id is in the log as the README looks for it" grep -qE "${looked_for:-not there} mesh1[a-z0-9]{58}" "$DIR/unit.log"
exit $FAILED
