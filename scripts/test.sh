#!/usr/bin/env bash
# Runs every test there is: installs what is missing, builds with warnings as errors, runs each test project with real
# PostgreSQL, DCMTK and Orthanc (started by the tests on free ports, ended with them), and sums up.
#
# usage: scripts/test.sh [--filter EXPRESSION]
#   --filter   as of `dotnet test`, for instance FullyQualifiedName~Tests.Dicom
# The last line is 'N passed, N failed, N skipped'. Tests that need data which is not in the repository are skipped and say so.
# exit: 0 all passed, 1 something failed or no test ran, 2 wrong usage or the machine lacks something
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"

filter=()
while [ $# -gt 0 ]; do
  case "$1" in
    --filter) [ $# -ge 2 ] || exit_code=2 fail "--filter wants an expression"; filter=(--filter "$2"); shift 2 ;;
    *) sed -n '2,9p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
  esac
done

require_commands libcharls.so.2 libopenjp2.so.7 libturbojpeg.so.0 storescu Orthanc orthanc-dicomweb postgres gdcmconv dciodvfy python3-pydicom python3-yaml ZXingReader zbarimg ojph_expand haproxy libfaketime rsyslogd rsyslog-gnutls openssl
require_npm_unless_fetched
require_dotnet
native_library
build

results="$repository/artifacts/test-results"
rm -rf "$results"
mkdir -p "$results"
# Servers and files of the tests live below this folder; readable by all, because PostgreSQL will not run as root.
work=$(mktemp -d /tmp/psg-test.XXXXXX)
chmod 755 "$work"
runner=0
cleanup() {
  # Each test project runs as the leader of a process group: what it started goes with it, even when it was killed.
  if [ "$runner" -ne 0 ]; then kill -KILL -- "-$runner" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

passed=0 failed=0 skipped=0 broken=0
for project in "$repository"/tests/*Tests/*.csproj; do
  name=$(basename "$project" .csproj)
  step "Testing $name"
  set -m
  TMPDIR="$work" dotnet test "$project" --configuration "$configuration" --no-build --nologo --results-directory "$results" \
    --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" "${filter[@]}" </dev/null &
  runner=$!
  set +m
  code=0
  wait "$runner" || code=$?
  kill -KILL -- "-$runner" 2>/dev/null || true
  runner=0

  counters=$(grep -o '<Counters [^>]*' "$results/$name.trx" 2>/dev/null | head -n 1) || true
  count() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters"; }
  if [ -z "$counters" ]; then
    # With a filter a project may have nothing to run, which is no failure.
    if [ "$code" -ne 0 ]; then
      say "$name left no results and ended with $code"
      broken=1
    fi
    continue
  fi
  # The trx format counts skipped tests only in the total.
  project_failed=$(($(count executed) - $(count passed)))
  passed=$((passed + $(count passed)))
  failed=$((failed + project_failed))
  skipped=$((skipped + $(count total) - $(count executed)))
  if [ "$code" -ne 0 ] && [ "$project_failed" -eq 0 ]; then
    say "$name ended with $code though no test failed: its host broke down"
    broken=1
  fi
done

if [ $((passed + failed)) -eq 0 ]; then
  say "no test ran"
  broken=1
fi
if [ "$broken" -ne 0 ]; then say "the run as a whole failed, whatever the line below counts"; fi
printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$broken" -eq 0 ]
