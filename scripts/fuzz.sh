#!/usr/bin/env bash
# Damages data sets, files, PDUs, command sets and DICOM JSON, and checks what reading them does: no crash, no hang, no more memory
# than the limit, and what is accepted is written and read again as the same.
#
# usage: scripts/fuzz.sh [--count N | --forever] [--seed N] [--first N] [--threads N]      (default one million, a pinned seed)
#        scripts/fuzz.sh --replay FILE
# Starts from made inputs, and from the files of ../shared/data/conformance when they are there. Failing inputs are written to
# artifacts/fuzz, named after kind, seed and number. exit: 0 all held, 1 something did not, 2 wrong usage
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"

project="$repository/tests/PacsStegoGateway.Fuzz"
corpus=()
if [ -d "$repository/../shared/data/conformance" ]; then corpus=(--corpus "$repository/../shared/data/conformance"); fi
build "$project/PacsStegoGateway.Fuzz.csproj"
step "Fuzzing"
exec dotnet "$project/bin/$configuration/net10.0/PacsStegoGateway.Fuzz.dll" --failures "$repository/artifacts/fuzz" "${corpus[@]}" "$@"
