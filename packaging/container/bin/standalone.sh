#!/bin/sh
# Name server and broker in one process.
echo 127.0.0.1:10911 > /tmp/ringmq-address
exec ringmq standalone --host 0.0.0.0 "$@"
