#!/usr/bin/env bash
# Succeeds if PgBouncer answers a client's first message within 2 s. The kernel accepts connections for a frozen
# process too, so an answer is awaited. The database is not asked: its failover must not stop every task.
#
# The message is PostgreSQL's SSLRequest, the answer S.
# https://www.postgresql.org/docs/17/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST
set -euo pipefail

address=${PGBOUNCER_LISTEN_ADDRESS:-0.0.0.0}
[[ $address != 0.0.0.0 ]] || address=127.0.0.1

exec timeout 2 bash -c '
  exec 3<>"/dev/tcp/$1/$2"
  printf "\0\0\0\x08\x04\xd2\x16\x2f" >&3
  read -r -N 1 -u 3 answer
  [[ $answer == S ]]
' health-check "$address" "${PGBOUNCER_SETTING_LISTEN_PORT:-6432}"
