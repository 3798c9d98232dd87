#!/usr/bin/env bash
# A database that is damaged or gone: one clear sentence, no crash, and the identity stays what it was.
. "$(dirname "$0")/lib.sh"
start a
start b
pair a b
for i in $(seq 20); do ctl a msg b "message $i" >/dev/null; done
stop a
stop b
cp -a "$DIR/a" "$DIR/good"
db=$DIR/a/meshd.db
restore() { rm -rf "$DIR/a"; cp -a "$DIR/good" "$DIR/a"; }
same_identity() { cmp -s "$DIR/a/identity" "$DIR/good/identity"; }
refused() { # WHAT
    expect 1 'damaged: put a copy of it back.*identity' timeout 20 "$BUILD/meshd" --state "$DIR/a" --listen 127.0.0.1:0
    check "the identity after: $1" same_identity
    restore
}
truncate -s 100 "$db"; refused "100 bytes are left"
truncate -s 4096 "$db"; refused "one page is left"
head -c 30000 /dev/urandom >"$db"; refused "random bytes"
head -c 4096 /dev/urandom | dd of="$db" bs=4096 seek=1 conv=notrunc 2>/dev/null; refused "one page of random bytes"

rm "$db"
start a
check "a new database is told of" grep -q "made a new database: .*meshd.db" "$DIR/a.log"
check "nobody is known any more" test -z "$(ctl a --json contact ls | grep -o '"name"')"
check "the identity after: no database" same_identity
stop a
restore
start a
check "the copy is good" test "$(ctl a msgs | wc -l)" = 20
check "a database that is there is not called new" test "$(grep -c 'made a new database' "$DIR/a.log")" = 2
exit $FAILED
