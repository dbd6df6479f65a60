#!/usr/bin/env bash
# services.sh COMMAND… runs the command with a PostgreSQL and an S3 server of its own beside it, on free ports and in a
# temporary folder, and takes both down again. Their addresses are in CHALKCAST_TEST_POSTGRES and CHALKCAST_TEST_S3
# (_KEY, _SECRET); a variable that is set already is left alone and its server is not started.
source "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
chmod 755 "$work"
gateway=
as=() # PostgreSQL refuses to run as root
if [ "$(id -u)" = 0 ]; then
  owner=$(id -un postgres 2>/dev/null || echo nobody)
  as=(setpriv --reuid "$owner" --regid "$(id -gn "$owner")" --clear-groups --)
fi

cleanup() {
  [ -z "$gateway" ] || kill "$gateway" 2>/dev/null || true
  [ ! -e "$work/pg/postmaster.pid" ] || "${as[@]}" "$bin/pg_ctl" -D "$work/pg" -m immediate stop >/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

start_postgres() {
  local port
  bin=$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -1)")
  port=$(free_port)
  mkdir "$work/pg"
  [ "$(id -u)" != 0 ] || chown "$owner" "$work/pg"
  (cd "$work/pg" && "${as[@]}" "$bin/initdb" -D "$work/pg" -U chalkcast -A trust -E UTF8 --locale=C -N >/dev/null)
  # Nothing here has to survive a power cut, so it need not wait for the disk.
  (cd "$work/pg" && "${as[@]}" "$bin/pg_ctl" -D "$work/pg" -l "$work/pg/log" -w \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=200" start >/dev/null) ||
    fail "PostgreSQL does not start: $(cat "$work/pg/log")"
  export CHALKCAST_TEST_POSTGRES="postgres://chalkcast@127.0.0.1:$port/postgres?sslmode=disable"
}

start_gateway() {
  local port program
  program=$(tool versitygw)
  port=$(free_port)
  mkdir "$work/objects" "$work/attributes"
  ROOT_ACCESS_KEY=chalkcast ROOT_SECRET_KEY=chalkcast-secret \
    "$program" --port "127.0.0.1:$port" --quiet posix --sidecar "$work/attributes" "$work/objects" >"$work/gateway.log" 2>&1 &
  gateway=$!
  for _ in $(seq 100); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      export CHALKCAST_TEST_S3="http://127.0.0.1:$port" CHALKCAST_TEST_S3_KEY=chalkcast CHALKCAST_TEST_S3_SECRET=chalkcast-secret
      return
    fi
    kill -0 "$gateway" 2>/dev/null || break
    sleep 0.1
  done
  fail "versitygw does not start: $(cat "$work/gateway.log")"
}

[ -n "${CHALKCAST_TEST_POSTGRES:-}" ] || start_postgres
[ -n "${CHALKCAST_TEST_S3:-}" ] || start_gateway
"$@"
