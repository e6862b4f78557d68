#!/bin/sh
exec ringmq health "$(cat /tmp/ringmq-address)"
