#!/bin/sh
# What the container does: a role of RocketMQ's image, "standalone", or any command (sh mqbroker, ringmq log check).
set -e

case "${NODE_ROLE:-$1}" in
    nameserver) role=./mqnamesrv ;;
    broker) role=./mqbroker ;;
    standalone) role=./standalone.sh ;;
    controller | proxy)
        echo "RingMQ has no ${NODE_ROLE:-$1}: run RocketMQ's own, it works with RingMQ's name server and broker." >&2
        exit 2
        ;;
    *) exec "$@" ;;
esac
case "$1" in
    nameserver | broker | standalone) shift ;;
esac
exec "$role" "$@"
