#!/usr/bin/env bash
# Succeeds if PgBouncer answers a client's first message within 1.5 s: with a check every 5 s and two that fail, a frozen
# one is told within 15 s. The kernel accepts connections for it too, so an answer is awaited. The database is not asked:
# its failover must not stop every task.
#
# The message is PostgreSQL's GSSENCRequest, the answer N for no. An SSLRequest would be answered too, but the handshake
# that then does not come is a warning in the log at every check.
# https://www.postgresql.org/docs/17/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-GSSENCREQUEST
set -euo pipefail

address=${PGBOUNCER_LISTEN_ADDRESS:-0.0.0.0}
[[ $address != 0.0.0.0 ]] || address=127.0.0.1

exec timeout 1.5 bash -c '
  exec 3<>"/dev/tcp/$1/$2"
  printf "\0\0\0\x08\x04\xd2\x16\x30" >&3
  read -r -N 1 -u 3 answer
  [[ $answer == N ]]
' health-check "$address" "${PGBOUNCER_SETTING_LISTEN_PORT:-6432}"
