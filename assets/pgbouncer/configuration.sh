# shellcheck shell=bash
# What PgBouncer is told: the checks of the environment, and the files that are written from it, before PgBouncer starts
# and when it is told to read them again. Each problem ends in one line that says what to correct.
#
# entrypoint.sh sources it; the paths are set there.

check_environment() {
  [[ -d $run_directory && -w $run_directory ]] ||
    fail "run directory $run_directory cannot be written to; mount a volume there that belongs to user $(id -u)"
  [[ -r $server_tls_ca_file ]] || fail "the databases' certificate authorities, $server_tls_ca_file, cannot be read"
  check_number PGBOUNCER_WAIT_SECONDS 0 99999
  check_number PGBOUNCER_DRAIN_SECONDS 0 99999
  check_number PGBOUNCER_FINISH_SECONDS 0 99999
  # PgBouncer would take a negative number, and a port that does not exist.
  check_number PGBOUNCER_SETTING_MAX_CLIENT_CONN 1 999999999
  check_number PGBOUNCER_SETTING_LISTEN_PORT 1 65535
  local variable
  for variable in "${!PGBOUNCER_DATABASE_@}" "${!PGBOUNCER_SETTING_@}"; do
    [[ $variable =~ ^PGBOUNCER_(DATABASE|SETTING)_[A-Z][A-Z0-9_]*$ ]] ||
      fail "$variable ends in no name of capital letters, digits and underscores; correct or remove it"
    [[ ${!variable} != *$'\n'* ]] || fail "$variable holds a line break, which cannot stand in an ini"
  done
  local -a databases=("${!PGBOUNCER_DATABASE_@}")
  ((${#databases[@]} > 0)) || fail 'no variable PGBOUNCER_DATABASE_<ALIAS> is set; there is nothing to connect to'
  for variable in "${databases[@]}"; do
    [[ ${!variable} =~ (^|\ )host=[^\ ] ]] || fail "$variable names no host; it should read host=… port=… dbname=…"
  done
}

# Of a variable that may be left out.
check_number() {
  local value=${!1:-$2}
  if [[ ! $value =~ ^(0|[1-9][0-9]{0,8})$ ]] || ((value < $2 || value > $3)); then
    fail "$1 is \"$value\", not a whole number from $2 to $3; correct it"
  fi
}

# A process that runs out of files refuses clients one by one, long after its start.
check_open_files() {
  ulimit -n "$(ulimit -Hn)"
  local clients=${PGBOUNCER_SETTING_MAX_CLIENT_CONN:-100} limit
  limit=$(ulimit -n)
  [[ $limit == unlimited ]] || ((limit > clients)) ||
    fail "max_client_conn is $clients, but only $limit files may be open; raise the container's nofile limit above it, or lower maxClientConnections"
}

# Writes what it is given to a file, whole or not at all: PgBouncer may read it at any time.
write() {
  local problem
  problem=$({ cat >"$1.new" && mv "$1.new" "$1"; } 2>&1) || fail "$1 cannot be written: ${problem##*: }"
}

write_userlist() {
  local line user count=0
  local -A users=()
  local verifier='SCRAM-SHA-256\$[1-9][0-9]{0,8}:[A-Za-z0-9+/]+={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}='
  while IFS= read -r line; do
    [[ -n $line ]] || continue
    ((count += 1))
    [[ $line =~ ^\"(([^\"]|\"\")+)\"\ \".*\"$ ]] ||
      fail "user $count of PGBOUNCER_USERLIST is not on a line \"user\" \"SCRAM-SHA-256\$…\"; correct the secret"
    user=${BASH_REMATCH[1]}
    [[ $line =~ ^\"([^\"]|\"\")+\"\ \"$verifier\"$ ]] ||
      fail "PGBOUNCER_USERLIST has something other than a SCRAM verifier for \"$user\"; store what PostgreSQL stores, neither a password nor an md5 hash"
    # PgBouncer would leave out the one, and take the later of the others.
    ((${#user} <= 63)) || fail "user $count of PGBOUNCER_USERLIST has a name of ${#user} characters; PostgreSQL has none of more than 63"
    [[ -z ${users[$user]:-} ]] || fail "PGBOUNCER_USERLIST has \"$user\" twice; remove one of the two"
    users[$user]=known
  done < <(printf '%s\n' "${PGBOUNCER_USERLIST:-}")
  ((count > 0)) || fail 'PGBOUNCER_USERLIST is empty: nobody could log in; the bootstrap of roles fills the secret'
  write "$userlist" < <(printf '%s\n' "$PGBOUNCER_USERLIST")
}

write_certificate() {
  if [[ -n ${PGBOUNCER_CLIENT_TLS_CERT:-} || -n ${PGBOUNCER_CLIENT_TLS_KEY:-} ]]; then
    write "$certificate" < <(printf '%s\n' "${PGBOUNCER_CLIENT_TLS_CERT:-}")
    write "$key" < <(printf '%s\n' "${PGBOUNCER_CLIENT_TLS_KEY:-}")
    local of_certificate of_key
    of_certificate=$("$openssl" x509 -in "$certificate" -noout -pubkey 2>/dev/null) ||
      fail 'PGBOUNCER_CLIENT_TLS_CERT is not a certificate in PEM form'
    # Nobody is asked for the password of an encrypted one.
    of_key=$("$openssl" pkey -in "$key" -passin pass: -pubout 2>/dev/null) ||
      fail 'PGBOUNCER_CLIENT_TLS_KEY is not an unencrypted private key in PEM form'
    [[ $of_certificate == "$of_key" ]] ||
      fail 'PGBOUNCER_CLIENT_TLS_CERT and PGBOUNCER_CLIENT_TLS_KEY do not belong together'
    check_certificate
  else
    # Nobody can verify this one. ECDSA: a handshake costs less than with RSA.
    local output
    output=$(OPENSSL_CONF=/dev/null "$openssl" req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
      -subj /CN=pgbouncer -keyout "$key" -out "$certificate" 2>&1) || fail "no certificate could be made: ${output//$'\n'/; }"
  fi
}

# What every verifying client would refuse, a deploy should: its circuit breaker keeps the tasks that run.
check_certificate() {
  local expiry host=${PGBOUNCER_CLIENT_TLS_HOST:-}
  expiry=$("$openssl" x509 -in "$certificate" -noout -enddate)
  "$openssl" x509 -in "$certificate" -noout -checkend 0 >/dev/null ||
    fail "PGBOUNCER_CLIENT_TLS_CERT expired on ${expiry#*=}; store a new certificate in its secret"
  [[ -z $host || $("$openssl" x509 -in "$certificate" -noout -checkhost "$host") != *'NOT match'* ]] ||
    fail "PGBOUNCER_CLIENT_TLS_CERT is not for $host, under which clients connect; store one that is, or correct hostName"
  check_authorities
}

# As clients verify it: by these authorities alone, and the certificates that come behind it.
check_authorities() {
  local output
  [[ -n ${PGBOUNCER_CLIENT_TLS_AUTHORITIES:-} ]] || return 0
  write "$authorities" < <(printf '%s\n' "$PGBOUNCER_CLIENT_TLS_AUTHORITIES")
  output=$(OPENSSL_CONF=/dev/null "$openssl" verify -purpose sslserver -no-CApath -no-CAstore -CAfile "$authorities" \
    -untrusted "$certificate" "$certificate" 2>&1) || {
    [[ ! $output =~ lookup:\ ?([^$'\n']+) ]] || output=${BASH_REMATCH[1]}
    fail "PGBOUNCER_CLIENT_TLS_CERT does not lead to the authorities by which clients verify it: ${output//$'\n'/; }; store it with those between it and its authority, or correct authorities"
  }
}

write_ini() { write "$ini" < <(trap - ERR; print_ini); }

# PgBouncer has no setting for it: no session tickets, by which no client of PostgreSQL resumes, and which cost an eighth
# of a log-in. PostgreSQL makes none either. https://docs.openssl.org/3.5/man3/SSL_CONF_cmd/
write_openssl_settings() {
  write "$openssl_settings" < <(printf '%s\n' 'openssl_conf = settings' '[settings]' 'ssl_conf = of_programs' '[of_programs]' 'system_default = of_all' '[of_all]' 'NumTickets = 0')
}

# Settings of the environment, then those of this place over them, each key once.
print_ini() {
  local -A settings=()
  local variable name
  for variable in "${!PGBOUNCER_SETTING_@}"; do
    name=${variable#PGBOUNCER_SETTING_}
    settings[${name,,}]=${!variable}
  done
  settings[auth_file]=$userlist
  # No client certificate is asked for, but PgBouncer does not start without authorities for one; the system's are not
  # in the image.
  settings[client_tls_ca_file]=$certificate
  settings[client_tls_cert_file]=$certificate
  settings[client_tls_key_file]=$key
  settings[listen_addr]=${PGBOUNCER_LISTEN_ADDRESS:-0.0.0.0}
  settings[server_tls_ca_file]=$server_tls_ca_file
  settings[unix_socket_dir]=$run_directory
  [[ -z ${PGBOUNCER_RESOLV_CONF:-} ]] || settings[resolv_conf]=$PGBOUNCER_RESOLV_CONF
  # A pooled client is idle only between transactions: it loses nothing, and comes back through the balancer.
  [[ $stage == serving ]] || settings[client_idle_timeout]=1
  printf '[databases]\n'
  for variable in "${!PGBOUNCER_DATABASE_@}"; do
    name=${variable#PGBOUNCER_DATABASE_}
    printf '%s = %s\n' "${name,,}" "${!variable}"
  done
  printf '\n[pgbouncer]\n'
  for name in "${!settings[@]}"; do printf '%s = %s\n' "$name" "${settings[$name]}"; done | LC_ALL=C sort
}

# PgBouncer checks an ini only by starting on it. With nowhere to listen it reads all of it, says so and ends.
check_settings() {
  local trial=$run_directory/trial.ini output problems
  write "$trial" < <(sed -E 's/^(listen_addr|unix_socket_dir) = .*/\1 =/' "$ini")
  output=$("$binary" "$trial" 2>&1) || true
  rm "$trial"
  [[ $output != *'FATAL nowhere to listen on'* ]] || return 0
  problems=$(sed -nE 's/^.* (WARNING|ERROR|FATAL) //p' <<<"$output")
  problems=$(sed -E "s/(password=)[^ ]*/\1…/g" <<<"${problems:-$output}")
  fail "PgBouncer refuses its settings: ${problems//$'\n'/; }; correct the variable PGBOUNCER_SETTING_… or PGBOUNCER_DATABASE_… of that name"
}

# A task that cannot reach its database would let clients in only for them to wait. A failover is waited for.
await_databases() {
  local alias variable problem deadline=$((SECONDS + wait_seconds))
  for alias in ${PGBOUNCER_REQUIRED_DATABASES-$(all_aliases)}; do
    variable=PGBOUNCER_DATABASE_${alias^^}
    [[ " ${!PGBOUNCER_DATABASE_@} " == *" $variable "* ]] || fail "PGBOUNCER_REQUIRED_DATABASES names $alias, but no variable $variable is set"
    until problem=$(database_problem "${!variable}"); do
      ((SECONDS < deadline)) ||
        fail "$alias cannot be reached, tried for $wait_seconds s: $problem; correct $variable, or let the task reach what it names"
      sleep 1
    done
  done
}

all_aliases() {
  local variable
  for variable in "${!PGBOUNCER_DATABASE_@}"; do variable=${variable#PGBOUNCER_DATABASE_} && printf '%s ' "${variable,,}"; done
}

# Succeeds if one of the entry's hosts can be reached as PgBouncer would reach it; else prints what each is wrong with.
database_problem() {
  local host address output code reason verification=() problems=() hosts=() port=5432
  [[ ! $1 =~ (^| )port=([0-9]+) ]] || port=${BASH_REMATCH[2]}
  [[ ! $1 =~ (^| )host=([^ ]+) ]] || IFS=, read -ra hosts <<<"${BASH_REMATCH[2]}"
  for host in "${hosts[@]}"; do
    case ${PGBOUNCER_SETTING_SERVER_TLS_SSLMODE:-prefer} in
      verify-full) verification=(-verify_return_error -verify_hostname "$host") ;;
      verify-ca) verification=(-verify_return_error) ;;
    esac
    address=$host
    if [[ -n $lookup ]] && ! address=$("$lookup" "$host"); then
      problems+=("$host:$port: its name cannot be resolved")
      continue
    fi
    output=$(OPENSSL_CONF=/dev/null timeout 3 "$openssl" s_client -brief -starttls postgres -connect "$address:$port" \
      -CAfile "$server_tls_ca_file" "${verification[@]}" 2>&1 </dev/null) && return 0 || code=$?
    reason=${output##*$'\n'}
    if ((code == 124)); then
      reason='no answer within 3 s'
    elif [[ $output =~ 'verify error:num='[0-9]+:([^$'\n']+) ]]; then
      reason="its certificate is refused, ${BASH_REMATCH[1]}"
    elif [[ $output =~ 'system library:'[^:]*:([^:]+): || $output =~ BIO_lookup_ex:[^$'\n']*:([^:$'\n']+) ]]; then
      reason=${BASH_REMATCH[1]}
    fi
    problems+=("$host:$port: $reason")
  done
  local IFS=';'
  printf '%s' "${problems[*]:-it names no host}"
  return 1
}
