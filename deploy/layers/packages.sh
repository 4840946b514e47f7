# shellcheck shell=bash
# The packages that are tried: those of this checkout, a later version of the same files, and one that refuses to be installed.

make_packages() {
    rm -rf "$work"
    mkdir -p "$made"
    (cd "$root" && "$programs/xtask" package --quick --from "$programs" --out "$made") || exit 1
    # A later version of the same files, for upgrades.
    local deb unpacked
    mkdir -p "$work/newer" "$work/broken"
    for deb in "$made"/*.deb; do
        unpacked=$work/unpacked
        rm -rf "$unpacked"
        dpkg-deb -R "$deb" "$unpacked"
        sed -i -e 's/^Version: .*/&+next/' -e 's/(= \([^)]*\))/(= \1+next)/' "$unpacked/DEBIAN/control"
        dpkg-deb -Zgzip -z1 -b "$unpacked" "$work/newer" >/dev/null
        case $deb in *pqcrypta-collector_*)
            printf '#!/bin/sh\necho "refused for a test" >&2\nexit 1\n' >"$unpacked/DEBIAN/preinst"
            chmod 0755 "$unpacked/DEBIAN/preinst"
            dpkg-deb -Zgzip -z1 -b "$unpacked" "$work/broken" >/dev/null
            ;;
        esac
    done
}
