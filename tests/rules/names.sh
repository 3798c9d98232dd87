#!/usr/bin/env bash
# names.sh SOURCE: what comments and documents name is there. Prints each place and the rule:
#   file   a source, a script or a document that a comment or a document names is in the tree, and in that folder
#   test   a test that docs/TRANSPORT.md or net/base/limits.h names as holding something is in a program of tests/unit of that name
set -eu
cd "$1"
{ find crypto net node cli sim tests -type f; find docs -type f; ls ./*.md; } | sed 's|^\./||' | perl -e '
    chomp(my @all = <STDIN>);
    my (%at, $bad);
    for (@all) { m{([^/]+)$}; push @{$at{$1}}, $_ }
    my %foreign = map { $_ => 1 } qw(spec.md sys/auxv.h); # MessagePack, and a header of Linux
    sub slurp { open my $f, "<", $_[0] or die "$_[0]: $!"; local $/; <$f> }
    sub say_it { my ($file, $text, $pos, $what) = @_; my $line = 1 + (substr($text, 0, $pos) =~ tr/\n//); print "$file:$line: $what\n"; $bad = 1 }
    for my $file (grep { m{^(?:crypto|net|node|cli|sim)/.*\.[ch]$|\.md$} } @all) {
        my $text = slurp($file);
        my $said = $text;
        # Of a source only what its comments say.
        $said =~ s{(/\*.*?\*/)|([^\n])}{defined $1 ? $1 : " "}gse if $file =~ /\.[ch]$/;
        while ($said =~ m{(?<![\w./*\-\}])([\w./\-]*\w\.(?:c|h|md|sh))\b(?![*/]|\.\w)}g) {
            my ($name, $pos) = ($1, $-[1]);
            next if $foreign{$name} || $name =~ /[A-Z]{4,}_?[A-Z]*\.[ch]$|_GROUP\./ || $name =~ /^_/;
            (my $tail = $name) =~ s{^\./}{};
            (my $base = $tail) =~ s{.*/}{};
            next if grep { $_ eq $tail || m{/\Q$tail\E$} } @{$at{$base} // []};
            say_it($file, $text, $pos, "$name   rule: a file that is named is there");
        }
    }
    # Who holds what: "`net/test_loss`: a_test, another" in the one, " *       loss: a_test, another" in the other.
    my %held = ("docs/TRANSPORT.md" => qr/`\w+(?:\/\w+)*\/test_(\w+)`: ([a-z0-9_, \n]+)/, "net/base/limits.h" => qr/^ \*\s{6,}(\w+): ((?:[a-z0-9_]+,?\s*(?:\*\s+)?)+)$/m);
    for my $file (sort keys %held) {
        my $text = slurp($file);
        my $count = 0;
        while ($text =~ /$held{$file}/g) {
            my ($program, $tests, $pos) = ($1, $2, $-[0]);
            my $there = join "", map { slurp($_) } grep { m{^tests/unit/} } @{$at{"test_$program.c"} // []};
            for my $test ($tests =~ /\b([a-z0-9]+(?:_[a-z0-9]+){2,})\b/g) {
                $count++;
                say_it($file, $text, $pos, "$test   rule: a test that is named is in test_$program.c") if $there !~ /\b$test\b/;
            }
        }
        if ($count < 20) { print "$file: only $count tests were found in it\n"; $bad = 1 }
    }
    exit($bad ? 1 : 0)'
