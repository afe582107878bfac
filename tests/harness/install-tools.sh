#!/usr/bin/env bash
# Installs what tests need from outside Python, as far as it is missing; silent when all is there.
#
#   install-tools.sh            everything
#   install-tools.sh sql        what pgTAP files and most Python tests need: a PostgreSQL server with
#                               pgTAP, plpgsql_check and pg_cron, its clients and pg_prove
#   install-tools.sh PROGRAM …  what a few Python tests need: borgmatic, which sends pings; chromium,
#                               which shows the page; mariadbd, a database of others, with the
#                               foreign data wrapper that reads it; npm, which fetches other
#                               versions of PostgreSQL; pgbouncer, which stands between; promtool,
#                               which judges our alerts by the rules of Prometheus;
#                               prometheus-alertmanager, which takes them over;
#                               prometheus-sql-exporter, which reads our figures; busybox and dash,
#                               which run our shell function; shellcheck, which judges it;
#                               go, java, perl, php and ruby, which run examples, each with its
#                               driver of PostgreSQL
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

lacks() {
    ! command -v "$1" > /dev/null
}

# Servers are where the path of root alone leads.
PATH=$PATH:/usr/sbin
all=(
    sql borgmatic chromium mariadbd npm pgbouncer promtool prometheus-alertmanager
    prometheus-sql-exporter redis-server go java perl php ruby
)
[ $# -gt 0 ] || set -- "${all[@]}"
missing=()
for word in "$@"; do
    case $word in
        sql)
            compgen -G '/usr/lib/postgresql/*/bin/postgres' > /dev/null || missing+=(postgresql-VERSION)
            has_extension pgtap || missing+=(postgresql-VERSION-pgtap)
            has_extension plpgsql_check || missing+=(postgresql-VERSION-plpgsql-check)
            has_extension pg_cron || missing+=(postgresql-VERSION-cron)
            ! lacks pg_prove || missing+=(libtap-parser-sourcehandler-pgtap-perl)
            ! lacks psql || missing+=(postgresql-client-VERSION)
            ;;
        # With fonts: a browser that has none lays nothing out.
        chromium) ! lacks chromium || missing+=(chromium fonts-liberation) ;;
        mariadbd)
            ! lacks mariadbd || missing+=(mariadb-server)
            has_extension mysql_fdw || missing+=(postgresql-VERSION-mysql-fdw)
            ;;
        promtool) ! lacks promtool || missing+=(prometheus) ;;
        go)
            ! lacks go || missing+=(golang-go)
            [ -d /usr/share/gocode/src/github.com/lib/pq ] || missing+=(golang-github-lib-pq-dev)
            ;;
        java)
            ! lacks javac || missing+=(default-jdk-headless)
            [ -e /usr/share/java/postgresql.jar ] || missing+=(libpostgresql-jdbc-java)
            ;;
        perl) perl -MDBD::Pg -e 1 2> /dev/null || missing+=(libdbd-pg-perl) ;;
        php)
            [[ $(php -m 2> /dev/null) == *pdo_pgsql* ]] || missing+=(php-cli php-pgsql)
            ;;
        ruby) ruby -rpg -e 1 2> /dev/null || missing+=(ruby ruby-pg) ;;
        borgmatic | npm | pgbouncer | prometheus-alertmanager | prometheus-sql-exporter | \
            busybox | dash | shellcheck | redis-server)
            ! lacks "$word" || missing+=("$word")
            ;;
        *)
            echo "$word is nothing that tests need: ${all[*]}" >&2
            exit 1
            ;;
    esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get > /dev/null; then
    echo "The tests need these, which only Debian and its kin can be given automatically:" >&2
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

# Tests that run side by side may find something missing at the same moment.
exec 9> "${TMPDIR:-/tmp}/pgvigil-install-tools-$(id -u).lock"
flock 9

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
    for service in prometheus prometheus-alertmanager prometheus-sql-exporter pgbouncer mariadb \
        redis-server; do
        [[ " ${missing[*]/mariadb-server/mariadb} " != *" $service "* ]] ||
            "${as_root[@]}" systemctl --quiet disable "$service"
    done
    [[ " ${missing[*]} " != *" borgmatic "* ]] ||
        "${as_root[@]}" systemctl --quiet disable borgmatic.timer
fi
