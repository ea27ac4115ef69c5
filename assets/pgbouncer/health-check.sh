#!/usr/bin/env bash
# Succeeds if PgBouncer answers a client's first message within 1.5 s: with a check every 5 s and two that fail, a frozen
# one is told within 15 s. The kernel accepts connections for it too, so an answer is awaited. The database is not asked:
# its failover must not stop every task.
#
# One that has no time to answer is not frozen: thousands of clients that come at once, because another task was lost,
# keep it busy with their TLS handshakes for longer than that, and killing it would only send them on to the next one.
# It is known by the CPU that it takes, and believed for a minute.
#
# The message is PostgreSQL's GSSENCRequest, the answer N for no. An SSLRequest would be answered too, but the handshake
# that then does not come is a warning in the log at every check.
# https://www.postgresql.org/docs/17/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-GSSENCREQUEST
set -euo pipefail

address=${PGBOUNCER_LISTEN_ADDRESS:-0.0.0.0}
[[ $address != 0.0.0.0 ]] || address=127.0.0.1
run_directory=${PGBOUNCER_RUN_DIRECTORY:-/run/pgbouncer}
answered=$run_directory/answered # changed whenever it does
busy_ticks=5                     # of the 150 that 1.5 s of one core are; a frozen one takes none
busy_seconds=60

# https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
cpu_ticks() {
  local pid status
  pid=$(<"$run_directory/pgbouncer.pid") && status=$(<"/proc/$pid/stat") || return 0
  read -ra status <<<"${status##*) }"
  echo $((status[11] + status[12]))
}

before=$(cpu_ticks 2>/dev/null)
if timeout 1.5 bash -c '
  exec 3<>"/dev/tcp/$1/$2"
  printf "\0\0\0\x08\x04\xd2\x16\x30" >&3
  read -r -N 1 -u 3 answer
  [[ $answer == N ]]
' health-check "$address" "${PGBOUNCER_SETTING_LISTEN_PORT:-6432}"; then
  touch "$answered" 2>/dev/null || true
  exit 0
fi
after=$(cpu_ticks 2>/dev/null)
((${after:-0} - ${before:-0} >= busy_ticks)) && [[ -e $answered ]] && (($(date +%s) - $(stat --format %Y "$answered") < busy_seconds))
