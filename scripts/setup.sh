# shellcheck shell=sh
# What `./run` and `./test` have in common: find what is on this machine, install or name
# what is missing. Sourced, never run. Callers set `root`, the checkout.
#
# `want_*` functions only look, and add Debian package names to `missing`;
# `install_missing` is the only one that changes the machine.

# PostgreSQL releases older than this are refused by the collector as well.
oldest_postgres=15
missing=
# shellcheck disable=SC2034  # for the callers
target=${CARGO_TARGET_DIR:-$root/target}

say() {
    printf '%s\n' "$*" >&2
}

# Ends the script with a reason; 69 is "a service that is needed is unavailable".
stop() {
    say "$@"
    exit 69
}

have() {
    command -v "$1" >/dev/null 2>&1
}

want() {
    missing="$missing $*"
}

# Puts cargo on PATH and checks that the compiler is new enough.
find_rust() {
    if ! have cargo; then
        for dir in "${CARGO_HOME:-}/bin" "${HOME:-/root}/.cargo/bin"; do
            if [ -x "$dir/cargo" ]; then
                PATH=$dir:$PATH
                export PATH
                break
            fi
        done
    fi
    needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
    if ! have cargo; then
        stop "Rust $needed or newer is needed and there is no cargo on this machine. Install it with
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile default
and start again."
    fi
    found=$(rustc --version | sed 's/^rustc \([0-9.]*\).*/\1/')
    if ! at_least "$found" "$needed"; then
        stop "Rust $needed or newer is needed; rustc is $found. Update it with
    rustup update stable"
    fi
}

# Whether dotted version $1 is not below $2.
at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

# A C compiler and the C library's headers: two crates compile a little C.
want_compiler() {
    if ! have cc || ! echo '#include <stdio.h>' | cc -E -x c - >/dev/null 2>&1; then
        want gcc libc6-dev
    fi
    # cargo and npm verify the registries' certificates with these
    if [ ! -e /etc/ssl/certs/ca-certificates.crt ] && [ -e /etc/debian_version ]; then
        want ca-certificates
    fi
}

# Prints the directory of the newest PostgreSQL server's programs, or fails.
find_postgres() {
    newest=
    for dir in /usr/lib/postgresql/*/bin; do
        major=${dir#/usr/lib/postgresql/}
        major=${major%/bin}
        if [ -x "$dir/initdb" ] && [ "$major" -ge "${newest:-$oldest_postgres}" ] 2>/dev/null; then
            newest=$major
        fi
    done
    if [ -n "$newest" ]; then
        echo "/usr/lib/postgresql/$newest/bin"
    elif have postgres && have initdb; then
        major=$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
        [ "$major" -ge "$oldest_postgres" ] || return 1
        dirname "$(command -v postgres)"
    else
        return 1
    fi
}

want_postgres() {
    find_postgres >/dev/null || want postgresql
}

# Whether node $1 can run the dashboard's bundler (`engines` in ui/package.json).
node_is_new_enough() {
    version=$("$1" --version 2>/dev/null) || return 1
    version=${version#v}
    at_least "$version" 22.12 || { at_least "$version" 20.19 && ! at_least "$version" 21; }
}

# npm, to build the dashboard. An old node will do: a newer one then comes from the
# npm registry (ui/toolchain).
want_npm() {
    if ! have npm || ! have node; then
        want nodejs npm
    fi
}

# Installs what `want` collected: as root on Debian by itself, otherwise it prints the command.
install_missing() {
    [ -n "$missing" ] || return 0
    missing=${missing# }
    if ! have apt-get; then
        stop "Missing on this machine, by Debian's names: $missing
Install a C compiler, PostgreSQL $oldest_postgres or newer (the server), and Node.js with npm
by your system's package manager, and start again."
    fi
    if [ "$(id -u)" -ne 0 ]; then
        stop "Missing on this machine: $missing. Install with
    sudo apt-get update && sudo apt-get install --no-install-recommends $missing
and start again."
    fi
    say "installing: $missing"
    log=$(mktemp)
    case " $missing " in
        *" postgresql "*) install_postgres_quietly ;;
    esac
    # shellcheck disable=SC2086  # a list of package names
    apt_get install $missing
    restore_cluster_default
    rm -f "$log"
    missing=
}

# Runs apt-get without questions; its output is shown only when it fails. The lists of
# packages are brought up to date once, before the first use.
apt_get() {
    if [ -z "${lists_are_new:-}" ]; then
        lists_are_new=yes
        apt_get update
    fi
    if ! DEBIAN_FRONTEND=noninteractive LC_ALL=C \
        apt-get -q -y -o Dpkg::Options::=--force-confold --no-install-recommends "$@" \
        >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        restore_cluster_default
        stop "apt-get $* failed; its output is above."
    fi
}

# Debian creates and starts a cluster of its own when the server is installed first. It is
# of no use here (each `up` has a private one), so that default is off for the moment of
# the installation and then as it was.
cluster_default=/etc/postgresql-common/createcluster.conf
install_postgres_quietly() {
    apt_get install postgresql-common
    if [ -e "$cluster_default" ]; then
        cp -p "$cluster_default" "$cluster_default.pqcrypta"
        trap restore_cluster_default EXIT
        echo 'create_main_cluster = false' >>"$cluster_default"
    fi
}

restore_cluster_default() {
    if [ -e "$cluster_default.pqcrypta" ]; then
        mv "$cluster_default.pqcrypta" "$cluster_default"
    fi
}
