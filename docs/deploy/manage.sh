#!/bin/sh
# common-ground COMMAND…: runs manage.py as the service's account, with its environment and the owner's.
# Install it as /usr/local/sbin/common-ground; root calls it.
set -eu
exec systemd-run --quiet --pipe --wait --collect --service-type=exec \
    --uid=common-ground --gid=common-ground --working-directory="${CURRENT:-/srv/common-ground/current}" \
    --property=EnvironmentFile=/etc/common-ground/environment --property=EnvironmentFile=/etc/common-ground/owner \
    --property=UMask=0027 \
    "${CURRENT:-/srv/common-ground/current}/.venv/bin/python" manage.py "$@"
