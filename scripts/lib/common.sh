# shellcheck shell=bash
# What every script here shares: where things are, how progress is said, how the product is built.
# Sourced, never run. The sourcing script has set -euo pipefail.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
# Nothing of the build may outlive the script: no MSBuild node, no compiler server.
export MSBUILDDISABLENODEREUSE=1
configuration=Release
psg="$repository/src/PacsStegoGateway/bin/$configuration/net10.0/psg"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' green='' red='' plain=''
fi

step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '    %s\n' "$*"; }
# Ends the script: wrong machine or usage is 2 as everywhere in this product, anything else 1.
fail() { printf '%s%s: %s%s\n' "$red" "$(basename "$0")" "$*" "$plain" >&2; exit "${exit_code:-1}"; }

# Builds the solution, or the one project named, with every warning an error.
build() {
  step "Building ${1:-the solution} ($configuration, warnings are errors)"
  (cd "$repository" && dotnet build "${1:-PacsStegoGateway.sln}" --configuration "$configuration" --nologo --verbosity quiet \
    -warnaserror -p:UseSharedCompilation=false) || fail "the build failed"
}

# Fetches the native ONNX Runtime, checked against its pinned checksum; nothing to do when it is there already.
native_library() {
  step "Native ONNX Runtime"
  "$repository/scripts/fetch-onnxruntime.sh" | sed 's/^fetch-onnxruntime: /    /'
}
