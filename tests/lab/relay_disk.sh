#!/usr/bin/env bash
# What a relay forwards is not written anywhere: while a transfer passes, it opens no file for writing and writes to none.
# RELAY_BYTES=1073741824 for the acceptance run.
LAB_NEEDS=strace
. "$(dirname "$0")/lab.sh"
bytes=${RELAY_BYTES:-50000000}
lab_world
mkdir -m 700 "$DIR/r"
printf '[relay]\ncapacity = 10G\n' >"$DIR/r/meshd.conf"
lab_relay r 9
lab_home a 1
lab_home b 2
lab_node a a --relay "$RELAY_r"
lab_node b b --relay "$RELAY_r"
pair a b
lab_count by_r ip saddr 198.18.9.2 ip daddr 198.18.2.2
head -c "$bytes" /dev/zero >"$DIR/file"
before=$(find "$DIR/r" -type f -printf '%p %s %T@\n' | sort)
log=$(stat -c %s "$DIR/r.log")
strace -f -qq -yy -e trace=openat,open,creat,write,writev,pwrite64,pwritev,pwritev2,rename,renameat,renameat2,fsync,fdatasync,truncate,ftruncate,fallocate,mmap,sendfile,copy_file_range \
    -o "$DIR/trace" -p "${PID[r]}" 2>/dev/null &
PID[strace]=$!
watched() { ! grep -qs "^TracerPid:[[:space:]]*0$" "/proc/${PID[r]}"/task/*/status; } # every thread
lab_until 10 "strace" watched
CTL_TIMEOUT=280 lab_transfer a b "$DIR/file"
stop strace
read -r _ passed < <(lab_counted by_r)
echo "$passed bytes passed"
check "all of it passed the relay" test "$passed" -ge "$bytes"
# To files: what has a path. Not the wake-ups of its own threads (anon_inode), sockets and pipes; mmap with PROT_WRITE of a shared file.
grep -E '(open|openat|creat)\(.*(O_WRONLY|O_RDWR|O_CREAT)|(write|writev|pwrite64|pwritev|pwritev2|fsync|fdatasync|ftruncate|fallocate|sendfile|copy_file_range)\([0-9]+<(/|[^>]*\.log)|rename|truncate\("|mmap\(.*PROT_WRITE.*MAP_SHARED.*<' "$DIR/trace" >"$DIR/written"
head -5 "$DIR/written"
check "no file was written" test ! -s "$DIR/written"
check "nothing in its folder changed" test "$before" = "$(find "$DIR/r" -type f -printf '%p %s %T@\n' | sort)"
check "nothing was logged" test "$log" = "$(stat -c %s "$DIR/r.log")"
exit $FAILED
