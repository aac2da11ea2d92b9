#!/usr/bin/env bash
# Kills the gateway (kill -9) at random moments while four senders (DCMTK storescu) send through it to Orthanc, with its rows
# in PostgreSQL, starts it again, and so on; at the end holds what the senders know to be acknowledged against rows, audit
# trail, spool and PACS: nothing may be lost, nothing doubled. The tests run the same with a few rounds.
#
# usage: scripts/crash-test.sh [--rounds N] [--images N] [--seed N]
#   --rounds  kills, 1 to 10000 (default 100, about 8 minutes on two cores)
#   --images  new images of each sender in each round, 1 to 1000 (default 6)
#   --seed    the same moments again; default: another each time, printed
# A line for each round, a summary at the end. After a failure everything (logs, spool, database, PACS) is kept, and it says where.
# exit: 0 nothing lost or doubled, 1 something was, 2 wrong usage or the machine lacks something
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"

usage() { sed -n '2,11p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2; }
rounds=100 images=6 seed=$((RANDOM * 32768 + RANDOM))
while [ $# -gt 0 ]; do
  case "$1" in
    --rounds) [[ "${2:-}" =~ ^[1-9][0-9]{0,4}$ ]] || usage; rounds=$2 ;;
    --images) [[ "${2:-}" =~ ^[1-9][0-9]{0,2}$ ]] || usage; images=$2 ;;
    --seed) [[ "${2:-}" =~ ^[0-9]{1,9}$ ]] || usage; seed=$2 ;;
    *) usage ;;
  esac
  shift 2
done

require_commands storescu Orthanc postgres
require_npm_unless_fetched
require_dotnet
native_library
build tests/PacsStegoGateway.SystemTests/PacsStegoGateway.SystemTests.csproj

# Readable by all: PostgreSQL will not run as root.
work=$(mktemp -d /tmp/psg-crash.XXXXXX)
chmod 755 "$work"
step "$rounds rounds, seed $seed; everything is below $work"
code=0
PSG_CRASH_ROUNDS=$rounds PSG_CRASH_IMAGES=$images PSG_CRASH_SEED=$seed PSG_TEST_KEEP=1 TMPDIR=$work \
  "$repository/tests/PacsStegoGateway.SystemTests/bin/$configuration/net10.0/PacsStegoGateway.SystemTests" -noLogo -noColor -showLiveOutput -failSkips \
  -class PacsStegoGateway.SystemTests.CrashTests </dev/null >"$work/run.log" 2>&1 &
run=$!
trap 'kill "$run" 2>/dev/null || true' EXIT
tail --follow --lines=+1 --pid="$run" "$work/run.log" | sed --unbuffered -n 's/.*\[OUTPUT\] /    /p'
wait "$run" || code=$?
trap - EXIT
if [ "$code" -ne 0 ]; then
  sed -n '/\[FAIL\]/,/TEST EXECUTION SUMMARY/p' "$work/run.log" >&2
  fail "seed $seed found something; everything is kept in $work"
fi
rm -rf "$work"
say "seed $seed: $rounds kills, nothing lost, nothing doubled"
