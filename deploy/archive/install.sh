#!/bin/sh
# Installs the programs of this directory, or removes them again: `install.sh`, `install.sh remove`, `install.sh purge`.
# Needs root and glibc 2.34 or newer. Settings, queue and users stay on removal; `purge` removes settings and queue too.
set -eu
here=$(cd -- "$(dirname -- "$0")" && pwd)
services='pqcrypta-collector pqcrypta-monitor pqcrypta-analytics'

say() { printf '%s\n' "$*"; }

# Whether systemd runs this machine; without it files are installed and nothing is started.
has_systemd() { [ -d /run/systemd/system ]; }

install_files() {
    (cd "$here/root" && find . -type d -print) | while read -r directory; do
        [ -d "/$directory" ] || install -d -m 0755 "/$directory"
    done
    # Beside the old one and renamed, so that a running program keeps its file.
    (cd "$here/root" && find . ! -type d -print) | while read -r file; do
        cp -p "$here/root/$file" "/$file.new"
        chown 0:0 "/$file.new"
        mv -f "/$file.new" "/$file"
    done
}

make_users() {
    if command -v systemd-sysusers >/dev/null; then
        for service in $services; do systemd-sysusers "/usr/lib/sysusers.d/$service.conf"; done
    else
        for group in adm systemd-journal; do getent group "$group" >/dev/null || groupadd --system "$group"; done
        for user in pqcrypta_collector pqcrypta_monitor pqcrypta_analytics; do
            getent passwd "$user" >/dev/null ||
                useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin "$user"
        done
    fi
    install -d -m 0755 /etc/pqcrypta
    install -d -m 0700 /etc/pqcrypta/credentials
    [ -e /var/log/pqcrypta_health_check.log ] ||
        install -m 0640 -o pqcrypta_collector -g adm /dev/null /var/log/pqcrypta_health_check.log
}

start_services() {
    has_systemd || { say 'systemd does not run here: start the programs by other means'; return 0; }
    systemctl daemon-reload
    for service in $services; do
        case $(systemctl is-enabled "$service" 2>/dev/null || :) in
            # What the operator disabled or masked stays so.
            enabled) systemctl try-restart "$service" ;;
            masked) ;;
            *) [ -e "/var/lib/pqcrypta-installed-$service" ] || systemctl enable --now "$service" ;;
        esac
        : >"/var/lib/pqcrypta-installed-$service"
    done
}

remove_files() {
    if has_systemd; then
        for service in $services; do systemctl disable --now "$service" 2>/dev/null || :; done
        systemctl disable --now pqcrypta-health-check.timer 2>/dev/null || :
    fi
    (cd "$here/root" && find . ! -type d -print) | while read -r file; do rm -f "/$file"; done
    rm -rf /usr/share/pqcrypta /usr/share/doc/pqcrypta /usr/share/doc/pqcrypta-health-check
    for service in $services; do
        rm -rf "/usr/share/doc/$service"
        rm -f "/var/lib/pqcrypta-installed-$service"
    done
    if has_systemd; then systemctl daemon-reload; fi
}

case "${1:-install}" in
    install)
        install_files
        make_users
        start_services
        say 'installed; write /etc/pqcrypta/collector.toml, then: systemctl start pqcrypta-collector'
        ;;
    remove)
        remove_files
        say 'removed; settings in /etc/pqcrypta and queues in /var/lib stay'
        ;;
    purge)
        remove_files
        rm -rf /etc/pqcrypta /var/lib/pqcrypta-collector /var/lib/pqcrypta-health-check /var/lib/pqcrypta-analytics
        rm -f /var/log/pqcrypta_health_check.log*
        say 'removed, with settings and queues'
        ;;
    *)
        say 'usage: install.sh [install | remove | purge]' >&2
        exit 64
        ;;
esac
