#!/usr/bin/env bash
# Every source is as .clang-format (version 14, Debian 12's) lays it out.
set -eu
cd "$1"
command -v clang-format >/dev/null && clang-format --version | grep -q 'version 14' || { echo "skipped: clang-format 14 is not installed"; exit 77; }
find crypto net node cli sim tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror ||
    { echo 'rule: as .clang-format says; mend it with: clang-format -i FILE'; exit 1; }
