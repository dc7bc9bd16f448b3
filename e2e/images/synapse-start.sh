#!/bin/sh
# What the official image's start script does in its default mode: root becomes the user that UID and GID name.
set -eu
if [ "$(id -u)" = 0 ]; then
  exec setpriv --reuid "${UID:-991}" --regid "${GID:-991}" --clear-groups "$0" "$@"
fi
exec python3 -m "${SYNAPSE_WORKER:-synapse.app.homeserver}" --config-path "${SYNAPSE_CONFIG_PATH:-/data/homeserver.yaml}" "$@"
