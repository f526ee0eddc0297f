#!/bin/sh
# Run by PostgreSQL's image when the database is made: the three roles and the databases of docs/deploy.md.
set -eu
# psql reads the passwords itself, because arguments of processes can be seen.
psql --set ON_ERROR_STOP=1 --username postgres --quiet <<'SQL'
\set owner `cat /run/secrets/owner_password`
\set web `cat /run/secrets/web_password`
\set worker `cat /run/secrets/worker_password`
CREATE ROLE common_ground_owner LOGIN PASSWORD :'owner';
CREATE ROLE common_ground LOGIN PASSWORD :'web';
CREATE ROLE common_ground_worker LOGIN PASSWORD :'worker' IN ROLE common_ground;
CREATE DATABASE common_ground OWNER common_ground_owner;
CREATE DATABASE common_ground_drill OWNER common_ground_owner;
SQL
