#!/usr/bin/env bash
# Installs the Debian packages meshd is built from (with --tests: also what the tests use). Nothing is done where all are there.
set -eu
packages="gcc libc6-dev cmake ninja-build pkg-config libsodium-dev libssl-dev libuv1-dev libmsgpack-dev libsqlite3-dev libjansson-dev"
# BLAKE3: a library of its own since Debian 13; Debian 12 has the same C sources with the Rust crate.
if apt-cache show libblake3-dev >/dev/null 2>&1; then packages="$packages libblake3-dev"; else packages="$packages librust-blake3-dev"; fi
[ "$(dpkg --print-architecture)" != amd64 ] || packages="$packages libipsec-mb-dev" # it exists for no other
[ "${1:-}" = "--tests" ] && packages="$packages libcmocka-dev iproute2 tcpdump strace procps clang-format tshark chromium libngtcp2-dev"
missing=
for p in $packages; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "these packages are missing:$missing; install them as root: apt-get install$missing" >&2; exit 1; }
    sudo=sudo
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q >&2
# shellcheck disable=SC2086
$sudo apt-get install -y -q --no-install-recommends $missing >&2
