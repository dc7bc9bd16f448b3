#!/bin/sh
# What the official image's start script does in its default mode, for a container with a user of its own.
exec python3 -m "${SYNAPSE_WORKER:-synapse.app.homeserver}" --config-path "${SYNAPSE_CONFIG_PATH:-/data/homeserver.yaml}" "$@"
