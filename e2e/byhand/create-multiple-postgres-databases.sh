#!/bin/bash
# Runs once, when PGDATA is still empty: a database that is added to the list later is made by hand.
set -euo pipefail
for database in ${POSTGRES_MULTIPLE_DATABASES//,/ }; do
  password="${database^^}_DB_PASSWORD"
  psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" <<SQL
CREATE USER $database PASSWORD '${!password}';
CREATE DATABASE $database;
GRANT ALL PRIVILEGES ON DATABASE $database TO $database;
\connect $database
ALTER SCHEMA public OWNER TO $database;
SQL
done
