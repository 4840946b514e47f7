#!/bin/sh
# Builds earlier versions of the programs out of this repository's history, for tests: prints the directory of each, which has
# `pqcrypta` and `pqcrypta-collector`. What was built is kept by commit below the target directory.
#
#   scripts/earlier-collector.sh            the versions below, a line each; nothing where history lacks them, with the reason
#   scripts/earlier-collector.sh COMMIT...  these
#
# Which ones: `compatible_from` in the table of migrations promises that every program from a version on works with the newest
# schema, and older ones are refused. So both sides of that boundary are tried, and what most operators upgrade from:
#
#   1. the newest release before this commit;
#   2. the oldest version that the schema is compatible with: a release; where there is none, the last commit before the next migration;
#   3. the newest version that it is not compatible with, chosen in the same way.
#
# Releases count as soon as there is one, since nobody runs what lies between two; their number does not grow with the years. A commit of
# the history's first parents has passed the checks; one within a merged branch may have had migrations of other numbers.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=scripts/setup.sh
. "$root/scripts/setup.sh"
cd "$root"
case "$target" in
    /*) ;;
    *) target=$root/$target ;;
esac
home=$target/earlier

in_history() {
    git -c safe.directory='*' "$@"
}

# The number of the newest migration of a commit, without leading zeros.
schema_of() {
    in_history ls-tree --name-only "$1" migrations/ | sed -n 's|^migrations/0*\([0-9]*\)_.*|\1|p' | tail -n 1
}

# The version that a program must know: that of the last migration that breaks older ones, or of the first that says so.
compatible_from() {
    in_history show HEAD:crates/store/src/migrations.rs | sed -n \
        -e 's/^ *\([0-9]*\) "[a-z_]*" "[0-9a-z_.]*" breaks,$/\1/p' \
        -e 's/^ *\([0-9]*\) "compatible_schemas" "[0-9a-z_.]*",$/\1/p' | tail -n 1
}

# The last commit of the first parents before the migration after the given one; fails where there is none.
last_commit_of() {
    next=$(printf '%04d' $(($1 + 1)))
    added=$(in_history log --first-parent -m --no-patch --diff-filter=A --format=%H -- "migrations/${next}_*" | tail -n 1)
    [ -n "$added" ] && in_history rev-parse --verify --quiet "$added^1"
}

# Releases before this commit, the oldest first.
releases() {
    in_history tag --merged 'HEAD^1' --sort=version:refname --list 'v[0-9]*' | grep -v -e - || true
}

choose() {
    [ "$(in_history rev-parse --is-shallow-repository 2>/dev/null)" = false ] || {
        say "no earlier versions: this checkout has no history (a shallow clone, or not of git); git fetch --unshallow brings it"
        return
    }
    floor=$(compatible_from)
    [ -n "$floor" ] || stop "crates/store/src/migrations.rs: found no line of the migration compatible_schemas"
    newest='' oldest='' refused=''
    for release in $(releases); do
        newest=$release
        if [ "$(schema_of "$release")" -lt "$floor" ]; then
            refused=$release
        elif [ -z "$oldest" ]; then
            oldest=$release
        fi
    done
    if [ -z "$newest" ]; then
        oldest=$(last_commit_of "$floor") || oldest=''
        refused=$(last_commit_of $((floor - 1))) || refused=''
    fi
    # One may be missing, or named twice.
    printf '%s\n' "$newest" "$oldest" "$refused"
}

# Builds the programs of a commit, unless they are there, and prints their directory.
build() {
    commit=$(in_history rev-parse --verify --quiet "$1^{commit}") || stop "no commit $1 in this history"
    kept=$home/$commit
    if [ ! -x "$kept/pqcrypta-collector" ] || [ ! -x "$kept/pqcrypta" ]; then
        say "building $1, schema $(schema_of "$commit")"
        # Always at the same place, so that what two versions have in common is compiled once.
        tree=$home/tree
        in_history worktree remove --force "$tree" >&2 2>/dev/null || rm -rf "$tree"
        in_history worktree prune
        mkdir -p "$home"
        in_history worktree add --quiet --force --detach "$tree" "$commit" >&2
        trap 'in_history worktree remove --force "$tree" || rm -rf "$tree"' EXIT
        (cd "$tree" && unset UI_DIST && CARGO_TARGET_DIR=$home/build CARGO_INCREMENTAL=0 \
            cargo build --locked --quiet -p pqcrypta -p pqcrypta-collector --bins >&2) ||
            stop "$1 cannot be built with this toolchain; its output is above"
        draft=$(mktemp -d "$home/new.XXXXXX")
        cp "$home/build/debug/pqcrypta" "$home/build/debug/pqcrypta-collector" "$draft/"
        chmod 755 "$draft"
        rm -rf "$kept"
        mv "$draft" "$kept"
    fi
    echo "$kept"
}

find_rust
[ $# -gt 0 ] || {
    # shellcheck disable=SC2046  # names of commits
    set -- $(choose)
}
for version in "$@"; do
    build "$version"
done | awk '!seen[$0]++'
