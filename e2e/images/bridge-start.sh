#!/bin/sh
# What the start scripts of the bridges' images do with a configuration and a registration that are there: all in
# /data becomes the bridge's, which may then write its configuration anew.
set -eu
chown -R 1337:1337 /data
cd /data
export HOME=/
exec setpriv --reuid 1337 --regid 1337 --clear-groups "$@"
