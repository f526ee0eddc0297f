#!/bin/sh
# Run by PostgreSQL's image when the database is made: the three roles and the database of docs/deploy.md.
set -eu
secret() { cat "/run/secrets/$1"; }
psql --set ON_ERROR_STOP=1 --username postgres --quiet \
    --set owner="$(secret owner_password)" --set web="$(secret web_password)" --set worker="$(secret worker_password)" <<'SQL'
CREATE ROLE common_ground_owner LOGIN PASSWORD :'owner';
CREATE ROLE common_ground LOGIN PASSWORD :'web';
CREATE ROLE common_ground_worker LOGIN PASSWORD :'worker' IN ROLE common_ground;
CREATE DATABASE common_ground OWNER common_ground_owner;
CREATE DATABASE common_ground_drill OWNER common_ground_owner;
SQL
