#!/bin/sh
# Name server and broker in one process.
./remember-address.sh standalone "$@" || exit
exec ringmq standalone --host 0.0.0.0 "$@"
