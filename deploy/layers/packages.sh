# shellcheck shell=bash
# The packages that are tried: those of this checkout, a later version of the same files, and one that refuses to be installed.

stripped=$work/programs
# All of them, as they are removed.
packages='pqcrypta-health-check pqcrypta-collector pqcrypta-monitor pqcrypta-analytics pqcrypta'

# `package_into DIRECTORY`: all packages.
package_into() { (cd "$root" && "$programs/xtask" package --quick --from "$stripped" --out "$1"); }

make_packages() {
    rm -rf "$work"
    mkdir -p "$made" "$stripped"
    # Of debug symbols every packager removes them anew.
    local program
    for program in "$programs"/pqcrypta*; do
        if [ -f "$program" ] && [ -x "$program" ]; then strip --strip-all -o "$stripped/${program##*/}" "$program"; fi
    done
    package_into "$made" || exit 1
    # A later version of the same files, for upgrades.
    local deb unpacked
    mkdir -p "$work/newer" "$work/broken"
    for deb in "$made"/*.deb; do
        unpacked=$work/unpacked
        rm -rf "$unpacked"
        dpkg-deb -R "$deb" "$unpacked"
        sed -i -e 's/^Version: .*/&+next/' -e 's/(= \([^)]*\))/(= \1+next)/' "$unpacked/DEBIAN/control"
        dpkg-deb -Znone -b "$unpacked" "$work/newer" >/dev/null
        case $deb in *pqcrypta-collector_*)
            printf '#!/bin/sh\necho "refused for a test" >&2\nexit 1\n' >"$unpacked/DEBIAN/preinst"
            chmod 0755 "$unpacked/DEBIAN/preinst"
            dpkg-deb -Znone -b "$unpacked" "$work/broken" >/dev/null
            ;;
        esac
    done
    make_rpms newer -e 's/^Release: .*/Release: 2/'
    make_rpms broken -e 's/^Release: .*/Release: 3/' \
        -e 's/^%files -n pqcrypta-collector /%pre -n pqcrypta-collector\necho "refused for a test" >\&2\nexit 1\n&/'
}

# `make_rpms DIRECTORY SCRIPT…`: rpm packages of the same files from the recipe as sed changes it.
make_rpms() {
    local into=$work/$1 top=$work/rpm version
    shift
    version=$(rpm -qp --queryformat '%{VERSION}' "$made"/pqcrypta-collector-*.rpm)
    mkdir -p "$top"
    sed "$@" "$root/deploy/rpm/pqcrypta.spec" >"$top/pqcrypta.spec"
    rpmbuild -bb "$top/pqcrypta.spec" --define "_topdir $top" --define "_stage $made/rpm/stage" \
        --define "_version $version" --define '_binary_payload w0.ufdio' >"$top/log" 2>&1 || {
        tail -n 5 "$top/log"
        exit 1
    }
    mv "$top"/RPMS/*/*.rpm "$into"
    rm -rf "$top"
}
