#!/usr/bin/env bash
# Measures queries over a large index, on SQLite and PostgreSQL: the time to the first answer to a C-FIND by Patient ID, and to
# all answers to one by a part of the name, which opens a sealed entry for every study. Best of five; fails when an aim is missed.
#
# usage: scripts/measure-index.sh [--studies N]      (default 20000 studies of 5 images)
# Let nothing else run on the machine meanwhile.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"

studies=20000
if [ $# -gt 0 ]; then
  [[ "$1" == --studies && "${2:-}" =~ ^[1-9][0-9]{0,6}$ ]] || { sed -n '2,7p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2; }
  studies=$2
fi

require_dotnet
PSG_MEASURE_STUDIES=$studies dotnet test "$repository/tests/PacsStegoGateway.Tests" --configuration "$configuration" --nologo \
  --filter "FullyQualifiedName~IndexTests.The_first_answer" --logger "console;verbosity=detailed" | grep -E "studies,|Passed!|Failed!|Total tests|\[FAIL\]|should be"
