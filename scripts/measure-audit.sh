#!/usr/bin/env bash
# Measures the audit trail on PostgreSQL: fills a trail of so many entries over two years, asks it by time, patient, study,
# instance, AE, outcome, event and user (50th and 95th percentile), writes to it through the store, and verifies all of it.
#
# usage: scripts/measure-audit.sh [ROWS]      (default 10000000: about 10 GB of disk and half an hour)
# The result, Markdown tables, goes to standard output and to artifacts/measure-audit/audit.md; the rest to standard error.
# Let nothing else run on the machine meanwhile.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"

rows=${1:-10000000}
if ! [[ "$rows" =~ ^[1-9][0-9]{2,9}$ ]]; then
  sed -n '2,8p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2
  exit 2
fi

exec 4>&1 1>&2
require_commands postgres
require_dotnet
step "Building"
(cd "$repository" && dotnet build tests/PacsStegoGateway.Benchmarks --configuration Release --nologo --verbosity quiet) || fail "building failed"

work="$repository/artifacts/measure-audit"
rm -rf "$work"
mkdir -p "$work"
# PostgreSQL refuses to run as root, and its account cannot look into everybody's folders.
cluster=$(mktemp -d /tmp/psg-measure-audit.XXXXXX)
binaries=$(find /usr/lib/postgresql -name initdb -printf '%h\n' | sort -V | tail -n 1)
as_postgres() { if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
if [ "$(id -u)" -eq 0 ]; then chown postgres "$cluster"; fi
stop() {
  (cd /tmp && as_postgres "$binaries/pg_ctl" -D "$cluster/data" -m immediate -w stop >/dev/null 2>&1) || true
  rm -rf "$cluster"
}
trap stop EXIT
trap 'exit 130' INT TERM

step "Starting PostgreSQL"
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(cd /tmp && as_postgres "$binaries/initdb" -D "$cluster/data" -U postgres -A trust -E UTF8 >/dev/null)
# A tenth of what a database server of this size would be given; it flushes every commit.
(cd /tmp && as_postgres "$binaries/pg_ctl" -D "$cluster/data" -w -l "$cluster/log" \
  -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$cluster -c shared_buffers=1GB -c max_wal_size=4GB" start >/dev/null)

step "Measuring with $rows entries"
{
  printf '%s, %s cores; %s; PostgreSQL %s; .NET %s\n\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(date -u +%Y-%m-%d)" \
    "$("$binaries/postgres" --version | awk '{ print $3 }')" "$(dotnet --version)"
  dotnet "$repository/tests/PacsStegoGateway.Benchmarks/bin/Release/net10.0/PacsStegoGateway.Benchmarks.dll" \
    audit "Host=127.0.0.1;Port=$port;Database=postgres;Username=postgres" "$work/keyring.json" "$rows"
} | tee "$work/audit.md" >&4
