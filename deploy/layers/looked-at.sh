# shellcheck shell=bash
# L0: units, manuals and packages, looked at.

# The exposure of a unit in tenths, by `systemd-analyze security`.
exposure() {
    systemd-analyze security --offline=true --no-pager "$root/deploy/systemd/$1" 2>/dev/null |
        sed -n 's/.*Overall exposure level for .*: \([0-9]*\)\.\([0-9]\).*/\1\2/p'
}

look_at_units() {
    local unit limit found
    for unit in collector:17 monitor:13 analytics:13 health-check:13; do
        limit=${unit#*:} unit=pqcrypta-${unit%:*}.service
        found=$(exposure "$unit")
        if [ -n "$found" ] && [ "$found" -le "$limit" ]; then
            ok "L0 $unit: exposure $found of at most $limit tenths"
        else
            fail "L0 $unit: exposure ${found:-unknown} of at most $limit tenths"
        fi
    done
}

look_at_manuals() {
    local page words=''
    for page in "$made"/made/*.[15]; do
        words+=$(LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
    done
    same 'L0 manuals have no warnings' '' "$words"
}

look_at_packages() {
    if command -v lintian >/dev/null; then
        expect 'L0 lintian: no errors, no warnings' \
            lintian --allow-root --fail-on error,warning --suppress-tags unstripped-binary-or-object "$made"/*.deb
    else
        skip 'lintian is not on this machine'
    fi
    local conffiles
    conffiles=$(for deb in "$made"/*.deb; do dpkg-deb -I "$deb" conffiles 2>/dev/null || :; done)
    same 'L0 no conffiles' '' "$conffiles"
}

# Whoever makes them again from the same programs gets the same bytes.
make_again() {
    local package differ=''
    package_into "$work/again" >/dev/null || differ=failed
    for package in "$made"/*.deb "$made"/*.rpm "$made"/*.tar.gz; do
        cmp -s "$package" "$work/again/${package##*/}" || differ+=" ${package##*/}"
    done
    rm -rf "$work/again"
    same 'L0 made again, the packages are the same' '' "$differ"
}
