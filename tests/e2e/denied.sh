#!/usr/bin/env bash
# A contact whose node answers and does not let this one in: every command says so, and why, with exit code 7 and a remedy that works;
# over a restart, too. Who is only away is not that.
. "$(dirname "$0")/lib.sh"
start a
start b
start c
used=$(ctl b ticket --name a)
ctl a contact add b - <<<"$used"
printf 'content' >"$DIR/f"

# ---- a ticket that somebody else has used ----
expect 7 'does not take the ticket.*meshctl ticket.*same name' ctl c contact add b - <<<"$used"
expect 7 'does not take the ticket' ctl c wait --for peer=b --timeout 20s
expect 7 'does not take the ticket' ctl c ping b -c 1
expect 7 'ticket' ctl c send b "$DIR/f"
expect 7 'does not take the ticket' ctl c msg b first --timeout 20s
expect 7 'queued' ctl c msg b second --timeout 20s
expect 0 'new ticket' ctl c contact ls
seen() { ctl c $1 2>/dev/null | grep -qE "$2"; }
check "contact ls says it" seen "contact ls" 'ticket refused'
check "peers says it" seen "peers" 'ticket refused'
check "msgs says it" seen "msgs" 'queued: ticket'
check "JSON says it" seen "--json contact ls" '"denied":{"code":"ticket"'
outcome=$(ctl c --json msg b third --timeout 20s 2>/dev/null)
check "the outcome of msg: $outcome" grep -q '"code":"ticket".*"exit":7.*"queued":true' <<<"$outcome"
stop c
start c
check "over a restart, too" seen "contact ls" 'ticket refused'
expect 0 '^$' ctl c contact add b - <<<"$(ctl b ticket --name c)"
for _ in $(seq 100); do [ "$(ctl b msgs | grep -c 'from c')" = 3 ] && break; sleep 0.1; done
check "what was queued has come" test "$(ctl b msgs | grep -c 'from c')" = 3
check "and nobody is denied" test -z "$(ctl c contact ls 2>/dev/null | grep refused)"

# ---- removed ----
ctl b contact rm c
for _ in $(seq 50); do seen "contact ls" 'has removed us' && break; sleep 0.1; done
check "c was told that it was removed" seen "contact ls" 'has removed us'
expect 7 'has removed this node.*meshctl ticket' ctl c msg b fourth --timeout 20s
expect 7 'has removed this node' ctl c wait --for peer=b --timeout 20s
expect 0 '^$' ctl c contact add b - <<<"$(ctl b ticket --name c)"
for _ in $(seq 100); do ctl b msgs | grep -q fourth && break; sleep 0.1; done
check "the message has come" grep -q fourth <<<"$(ctl b msgs)"

# ---- away is something else ----
ticket=$(ctl a ticket --name later)
stop a
expect 0 'has not answered yet' ctl c contact add a - --timeout 1s <<<"$ticket"
check "and that is not refused" seen "contact ls" '^a  *(offline|connecting)'
expect 0 '^$' ctl c contact add a - --timeout 0 <<<"$ticket"
expect 10 '.' ctl c wait --for peer=a --timeout 1s
start a
expect 0 '' ctl c wait --for peer=a --timeout 20s

# ---- each cause its own sentence ----
expect 2 'own' ctl a contact add me - <<<"$(ctl a ticket)"
expect 2 'not usable' ctl a contact add a/b - <<<"$(ctl c ticket)"
expect 5 'another node is called' ctl a contact add b - <<<"$(ctl c ticket)"
expect 10 'expired on .* clock says' ctl a contact add d - <<<"$(ctl b ticket --ttl 1s; sleep 2.1)"
exit $FAILED
