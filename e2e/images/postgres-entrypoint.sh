#!/bin/bash
# What the official image's entrypoint promises: a cluster in an empty PGDATA, the superuser's password from
# POSTGRES_PASSWORD or its _FILE, POSTGRES_DB, and /docker-entrypoint-initdb.d at that time only. Root becomes postgres.
set -euo pipefail

if [ "$1" = postgres ] && [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  exec setpriv --reuid 999 --regid 999 --clear-groups "$0" "$@"
fi

if [ "$1" != postgres ] || [ -s "$PGDATA/PG_VERSION" ]; then
  exec "$@"
fi
if [ -n "${POSTGRES_PASSWORD:-}" ] && [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
  echo "error: both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set" >&2
  exit 1
fi
password="${POSTGRES_PASSWORD:-$(<"${POSTGRES_PASSWORD_FILE:?no password for the superuser}")}"
eval 'initdb -U "${POSTGRES_USER:-postgres}" --pwfile=<(printf "%s\n" "$password") '"${POSTGRES_INITDB_ARGS:-}"
printf '\nhost all all all %s\n' "$(postgres -C password_encryption)" >>"$PGDATA/pg_hba.conf"
printf "\nlisten_addresses = '*'\n" >>"$PGDATA/postgresql.conf"

pg_ctl -w start -o "-c listen_addresses=''"
user="${POSTGRES_USER:-postgres}"
[ "${POSTGRES_DB:-$user}" = postgres ] || createdb -U "$user" --maintenance-db postgres "${POSTGRES_DB:-$user}"
for file in /docker-entrypoint-initdb.d/*; do
  case "$file" in
    *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
    *.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc -U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-postgres}" -f "$file" ;;
  esac
done
pg_ctl -w -m fast stop
exec "$@"
