#!/bin/sh
# remember-address.sh ROLE ARGUMENTS...: notes where the server is going to listen, for the health check. A wrong
# configuration ends here with its sentence.
set -e
configuration=$(ringmq "$@" --host 0.0.0.0 -p)
port=$(echo "$configuration" | sed -n 's/^listenPort=//p')
if echo "$configuration" | grep -q '^tls.server.mode=enforcing'; then tls=--tls; else tls=; fi
echo "127.0.0.1:$port $tls" > /tmp/ringmq-address
