#!/usr/bin/env bash
# Runs one PgBouncer: writes its files from the environment, and takes it out of service without cutting a transaction.
#
#   TERM  drains: goes on letting clients in while the balancer takes the task out, closes idle clients between their
#         transactions, then as INT. A second TERM ends the waiting.
#   INT   lets nobody in, ends when the last running transaction has.
#   QUIT  ends at once.
#   HUP   writes the files again and reloads them.
#
# The variables are described in lib/tier/pooler/pooler.contract.ts, PgBouncer's side of the signals in
# https://www.pgbouncer.org/usage.html#signals
set -Eefuo pipefail
umask 077

run_directory=${PGBOUNCER_RUN_DIRECTORY:-/run/pgbouncer}
server_tls_ca_file=${PGBOUNCER_SERVER_TLS_CA_FILE:-/etc/pgbouncer/rds-ca.pem}
binary=${PGBOUNCER_BINARY:-/usr/sbin/pgbouncer}
openssl=${PGBOUNCER_OPENSSL:-openssl}
lookup=${PGBOUNCER_LOOKUP:-}
wait_seconds=${PGBOUNCER_WAIT_SECONDS:-30}
drain_seconds=${PGBOUNCER_DRAIN_SECONDS:-45}
finish_seconds=${PGBOUNCER_FINISH_SECONDS:-70}

health_check=${BASH_SOURCE[0]%/*}/health-check.sh
pulse_seconds=5

ini=$run_directory/pgbouncer.ini
openssl_settings=$run_directory/openssl.cnf
userlist=$run_directory/userlist.txt
certificate=$run_directory/client.crt
key=$run_directory/client.key
authorities=$run_directory/authorities.crt # of that certificate
pid_file=$run_directory/pgbouncer.pid       # for the health check

# Verifiers and keys stay in this process: PgBouncer reads them from files.
export -n PGBOUNCER_USERLIST PGBOUNCER_CLIENT_TLS_CERT PGBOUNCER_CLIENT_TLS_KEY

log() { printf 'entrypoint: %s\n' "$1" >&2; }
fail() { log "$1"; exit 1; }
trap 'fail "line $LINENO of ${BASH_SOURCE[0]##*/} failed: $BASH_COMMAND"' ERR
trap 'exit 0' TERM INT QUIT # as the first process of a container it would otherwise ignore them
trap : HUP                  # what it asks for is being done
# Of a child that is ended by a signal without a trap, bash writes a line of its own beside ours.
# shellcheck disable=SC2173
trap : KILL ABRT

# shellcheck source=configuration.sh
. "${BASH_SOURCE[0]%/*}/configuration.sh"

# In the background, and gone with this process even if that is killed.
start() { setpriv --pdeathsig KILL -- "$@" & }

is_running() { kill -0 "$1" 2>/dev/null; }

set_timer() {
  [[ -z $timer ]] || kill "$timer" 2>/dev/null || true
  start sleep "$1"
  timer=$!
}

drain() {
  if [[ $stage != serving ]]; then
    finish
    return 0 # a bare return would hand on the status of the interrupted command
  fi
  stage=draining
  log "draining: clients are let in for $drain_seconds s more, idle ones are closed"
  if (write_ini); then signal_pgbouncer HUP; else log 'idle clients stay until they are finished with'; fi
  set_timer "$drain_seconds"
}

finish() {
  [[ $stage != finishing ]] || return 0
  stage=finishing
  log "finishing: nobody is let in, running transactions have $finish_seconds s"
  signal_pgbouncer INT
  set_timer "$finish_seconds"
}

cut() {
  log "transactions still ran after $finish_seconds s and were cut; keep the transaction_timeout of every role below that"
  exit_code=1
  signal_pgbouncer KILL # a frozen one would not hear of QUIT
}

# A PgBouncer that answers nobody keeps its clients waiting for as long as it lives, and ECS would let it for minutes.
# One that lets nobody in any more is not asked.
check_pulse() {
  pulse=
  [[ $stage != finishing ]] || return 0
  if bash "$health_check" 2>/dev/null; then missed=0; else ((missed += 1)); fi
  if ((missed == 2)); then
    log 'PgBouncer has not answered twice and is killed: its clients find another task'
    signal_pgbouncer KILL
  else
    start sleep "$pulse_seconds"
    pulse=$!
  fi
}

# In a process of its own: whatever is wrong, clients keep the PgBouncer that they have.
reload() {
  if (write_userlist && write_ini); then signal_pgbouncer HUP; else log 'not reloaded'; fi
}

signal_pgbouncer() { kill "-$1" "$pgbouncer" 2>/dev/null || true; }

stage=serving
exit_code=
timer=
pulse=
missed=0
check_environment
check_open_files
write_userlist
write_certificate
write_openssl_settings
write_ini
check_settings
await_databases

# Before it answers, PgBouncer would die of HUP and miss the others: what is asked meanwhile is done then, or when it
# should have answered long since.
asked=()
trap 'asked+=(drain)' TERM
trap 'asked+=(finish)' INT
trap 'asked+=("signal_pgbouncer QUIT")' QUIT
trap 'asked+=(reload)' HUP
OPENSSL_CONF=$openssl_settings start "$binary" "$ini"
pgbouncer=$!
started_at=$SECONDS
write "$pid_file" < <(printf '%s\n' "$pgbouncer")
until bash "$health_check" 2>/dev/null || ! is_running "$pgbouncer"; do
  if ((SECONDS > started_at + pulse_seconds)); then
    missed=1
    break
  fi
  sleep 0.1
done
trap drain TERM
trap finish INT
trap 'signal_pgbouncer QUIT' QUIT
trap reload HUP
for action in "${asked[@]}"; do $action; done

start sleep "$pulse_seconds"
pulse=$!

# Who ends while another command runs, a health check or that of a trap, is not told by `wait -n`: all are looked at
# before it is called.
while is_running "$pgbouncer"; do
  if [[ -n $timer ]] && ! is_running "$timer"; then
    timer=
    if [[ $stage == draining ]]; then finish; else cut; fi
  elif [[ -n $pulse ]] && ! is_running "$pulse"; then
    check_pulse
  else
    wait -n || true
  fi
done

wait "$pgbouncer" && code=0 || code=$?
for job in $timer $pulse; do kill "$job" 2>/dev/null || true; done
((code == 0)) || log "PgBouncer ended with exit code $code"
exit "${exit_code:-$code}"
