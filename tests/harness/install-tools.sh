#!/usr/bin/env bash
# Installs what the SQL tests need from outside Python, as far as it is missing: a PostgreSQL server
# with pgTAP, plpgsql_check and pg_cron, pg_prove, npm for the version matrix, promtool, which judges
# our alerts by Prometheus' own rules, an Alertmanager, which takes them over, sql_exporter, which
# reads our figures for Prometheus, PgBouncer, which stands between, Chromium, which shows the page,
# and a MariaDB with the foreign data wrapper that reads it. With the word "sql" only what pgTAP files need. Silent when all is
# there.
set -euo pipefail

# Version 15 where the distribution has it, being the oldest we support; else the distribution's own.
server_version() {
    if apt-cache show postgresql-15 2> /dev/null | grep -q '^Package:'; then
        echo 15
    else
        apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1
    fi
}

has_extension() {
    compgen -G "/usr/share/postgresql/*/extension/$1.control" > /dev/null
}

missing=()
compgen -G '/usr/lib/postgresql/*/bin/postgres' > /dev/null || missing+=(postgresql-VERSION)
has_extension pgtap || missing+=(postgresql-VERSION-pgtap)
has_extension plpgsql_check || missing+=(postgresql-VERSION-plpgsql-check)
has_extension pg_cron || missing+=(postgresql-VERSION-cron)
command -v pg_prove > /dev/null || missing+=(libtap-parser-sourcehandler-pgtap-perl)
command -v psql > /dev/null || missing+=(postgresql-client-VERSION)
if [ "${1-}" != sql ]; then
    command -v prometheus-alertmanager > /dev/null || missing+=(prometheus-alertmanager)
    command -v npm > /dev/null || missing+=(npm)
    command -v promtool > /dev/null || missing+=(prometheus)
    command -v prometheus-sql-exporter > /dev/null || missing+=(prometheus-sql-exporter)
    command -v pgbouncer > /dev/null || missing+=(pgbouncer)
    command -v mariadbd > /dev/null || missing+=(mariadb-server)
    has_extension mysql_fdw || missing+=(postgresql-VERSION-mysql-fdw)
    # With fonts: a browser that has none lays nothing out.
    command -v chromium > /dev/null || missing+=(chromium fonts-liberation)
fi
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get > /dev/null; then
    echo "The SQL tests need these, which only Debian and its kin can be given automatically:" >&2
    printf '  %s\n' "${missing[@]//-VERSION/}" >&2
    exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo > /dev/null; then
        echo "Missing: ${missing[*]//VERSION/15}. Install them as root with apt-get." >&2
        exit 1
    fi
    as_root=(sudo)
fi

# Packages of servers start what they bring; the tests start their own and want only the programs.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" > /dev/null
    "${as_root[@]}" chmod 755 "$policy"
fi

# Fresh systems come without package lists, and old lists name packages that are gone.
"${as_root[@]}" apt-get update -qq
packages=("${missing[@]//VERSION/$(server_version)}")
echo "Installing ${packages[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq --yes --no-install-recommends "${packages[@]}" > /dev/null

# Nor are they to start with the machine.
if [ -d /run/systemd/system ]; then
    for service in prometheus prometheus-alertmanager prometheus-sql-exporter pgbouncer mariadb; do
        [[ " ${missing[*]/mariadb-server/mariadb} " != *" $service "* ]] || "${as_root[@]}" systemctl --quiet disable "$service"
    done
fi
