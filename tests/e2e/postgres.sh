#!/bin/sh
# A PostgreSQL cluster of its own for tests: data in DIR, on loopback only, no password.
#   postgres.sh DIR PORT start    makes DIR if it is not there, starts, and prints the URL
#   postgres.sh DIR PORT stop     stops it; DIR is left
set -eu

usage() { echo "usage: $0 DIR PORT start|stop" >&2; exit 2; }
[ $# -eq 3 ] || usage
dir=$1 port=$2

# PG_BIN, else what is on the path, else Debian's newest.
bin=${PG_BIN:-}
if [ -z "$bin" ]; then
    found=$(command -v pg_ctl || ls -d /usr/lib/postgresql/*/bin/pg_ctl 2>/dev/null | sort -V | tail -n 1)
    [ -n "$found" ] || { echo "PostgreSQL is missing: install the package postgresql" >&2; exit 1; }
    bin=$(dirname "$found")
fi

# The server refuses to run as root.
as_owner() {
    if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

case $3 in
start)
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; fi
    if [ ! -e "$dir/data/PG_VERSION" ]; then
        as_owner "$bin/initdb" -D "$dir/data" -U sparekey -A trust -E UTF8 --locale=C >"$dir.initdb.log"
        rm -f "$dir.initdb.log"
    fi
    as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w \
        -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200" start >&2
    echo "postgres://sparekey@127.0.0.1:$port/postgres"
    ;;
stop)
    as_owner "$bin/pg_ctl" -D "$(cd "$dir" && pwd)/data" -m fast -w stop >&2
    ;;
*) usage ;;
esac
