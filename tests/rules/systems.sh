#!/usr/bin/env bash
# systems.sh SOURCE: what keeps the sources fit for other systems, comments and strings left out:
#   platform   no macro that names a system outside net/os and net/io
#   handle     no descriptor, mode, user or vector of the system's in other headers: net/os has types for them
#   word       no identifier that a header of Windows defines as a macro
#   native     no native integer copied, or hashed, byte by byte: crypto/base/bytes.h has the order that all machines share
# Prints the line and the rule. Each has its exceptions below, with the reason.
set -eu
cd "$1"
find crypto net node cli sim -name '*.[ch]' -type f | sort | xargs perl -0777 -ne '
    BEGIN {
        $platform = qr/\b(?:__linux__|__linux|linux|_WIN32|_WIN64|__APPLE__|__MACH__|__unix__|__unix|__FreeBSD__|__NetBSD__|__OpenBSD__|__DragonFly__|__BSD__|__sun|__ANDROID__|__CYGWIN__|__MINGW\w*|__GLIBC__|__GLIBC_MINOR__)\b/;
        $handle = qr/\b(?:int|short)\s+\**\w*fds?\b|\b(?:mode_t|uid_t|gid_t|pid_t|off_t|dev_t|ino_t|HANDLE|DWORD)\b|\bstruct\s+(?:iovec|stat|pollfd|msghdr|mmsghdr|sockaddr\w*|termios|winsize|timespec|timeval|dirent|sigaction)\b/;
        $word = qr/\b(?:far|near|small|hyper|interface|pascal|cdecl|IN|OUT|OPTIONAL|ERROR|DELETE|CONST|VOID|ABSOLUTE|RELATIVE|TRANSPARENT|OPAQUE|NO_ERROR|IGNORE|INFINITE|UNICODE|rad[1-9]|psh[1-9]|grp[1-9]|lst[1-9]|cmb[1-9]|edt[1-9]|scr[1-9]|chx[1-9])\b/;
        $native = qr/\bmem(?:cpy|move)\s*\([^;]*,\s*sizeof\s*\(?\s*(?:u?int(?:16|32|64)_t|unsigned|int|long|size_t|double)\b|_update\s*\(\s*&?\w+,\s*(?:\([^)]*\)\s*)?&\w+,\s*sizeof/;
        # What may break which rule, and why.
        %may = (
            "crypto/aead/aead_libcrypto.c" => "platform", # asks the processor for AES, a constant, and has no room of the system to ask
        );
    }
    sub say_it { my ($at, $rule, $text) = @_; $text =~ s/^\s+//; print "$ARGV:$at: $text   rule: $rule\n"; $bad = 1 }
    s{("(?:\\.|[^"\\\n])*")|(\x27(?:\\.|[^\x27\\\n])*\x27)|(/\*.*?\*/|//[^\n]*)}{
        if (defined $3) { (my $c = $3) =~ s/[^\n]//g; $c } elsif (defined $1) { "\"\"" } else { "\x27 \x27" } }gse;
    my $at = 0;
    my $doors = $ARGV =~ m{^net/(?:os|io)/};
    for my $line (split /\n/) {
        $at++;
        next if $line =~ /^\s*#\s*include/;
        say_it($at, "no macro that names a system outside net/os and net/io", $line)
            if !$doors && ($may{$ARGV} // "") ne "platform" && $line =~ /^\s*#/ && $line =~ $platform;
        say_it($at, "no type of the system in a header outside net/os and net/io", $line)
            if !$doors && $ARGV =~ /\.h$/ && $line =~ $handle;
        say_it($at, "no identifier that headers of Windows define", $line)
            if ($may{$ARGV} // "") ne "word" && $line =~ $word;
        say_it($at, "no native integers as bytes but by crypto/base/bytes.h", $line)
            if !$doors && $ARGV ne "crypto/base/bytes.h" && $line =~ $native;
    }
    END { exit($bad ? 1 : 0) }'
