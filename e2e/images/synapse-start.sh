#!/bin/sh
# What the official image's start script does: root becomes the user that UID and GID name, `run` is the default mode, and a
# configuration that the command names takes the place of the default one.
set -eu
if [ "$(id -u)" = 0 ]; then
  exec setpriv --reuid "${UID:-991}" --regid "${GID:-991}" --clear-groups "$0" "$@"
fi
if [ "${1:-}" = run ]; then
  shift
fi
case " $* " in
*" --config-path"* | *" -c"*) ;;
*) set -- --config-path "${SYNAPSE_CONFIG_PATH:-/data/homeserver.yaml}" "$@" ;;
esac
exec python3 -m "${SYNAPSE_WORKER:-synapse.app.homeserver}" "$@"
