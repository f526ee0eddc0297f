#!/bin/sh
# Makes the secrets that compose.yaml names, once, in the folder beside it; existing ones stay.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
made() { [ -s "secrets/$1" ] || od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "secrets/$1"; }
address() { printf 'postgres://%s:%s@database:5432/%s' "$1" "$(cat "secrets/$2")" "$4" > "secrets/$3"; }
for name in secret_key postgres_password owner_password web_password worker_password; do made "$name"; done
address common_ground web_password database_url common_ground
address common_ground_worker worker_password database_worker_url common_ground
address common_ground_owner owner_password database_owner_url common_ground
address common_ground_owner owner_password database_drill_url common_ground_drill
# The folder is ours alone; the files are mounted for processes with other user ids.
chmod 700 secrets
chmod 644 secrets/*
