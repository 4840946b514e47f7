# shellcheck shell=bash
# What a try comes to: `ok`, `FAIL` with what was said, or `skipped` with the reason. Counts each.

passed=0
failed=0
skipped=0

say() { printf '%s\n' "$*"; }

ok() {
    passed=$((passed + 1))
    say "ok    $*"
}

fail() {
    failed=$((failed + 1))
    say "FAIL  $*"
}

skip() {
    skipped=$((skipped + 1))
    say "skipped: $*"
}

# `expect WHAT COMMAND…`: passes when the command succeeds; its output is shown otherwise.
expect() {
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then ok "$what"; else
        fail "$what"
        printf '%s\n' "$output" | tail -n 20 | sed 's/^/        /'
    fi
}

# `same WHAT EXPECTED FOUND`
same() {
    if [ "$2" = "$3" ]; then ok "$1"; else fail "$1: expected '$2', found '$3'"; fi
}

# `within SECONDS COMMAND…`: waits until the command succeeds, asking again after a pause in seconds. The seconds are those of a
# machine that does nothing else; a busy one may take three times as long.
pause=0.3
within() {
    local until=$((SECONDS + 3 * $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep "$pause"
    done
}

not() { ! "$@"; }

# `part NAME COMMAND…`: runs a part, and says how long it took.
part() {
    local name=$1 began=$SECONDS
    shift
    "$@"
    say "      $name: $((SECONDS - began)) s"
}

# `count_outcomes FILE`: shows what a part said that ran beside the others, and counts it.
count_outcomes() {
    cat "$1"
    passed=$((passed + $(grep -c '^ok ' "$1" || :)))
    failed=$((failed + $(grep -c '^FAIL ' "$1" || :)))
    skipped=$((skipped + $(grep -c '^skipped' "$1" || :)))
}
