#!/usr/bin/env bash
# Measures, on this machine, what one very large object costs the gateway: the most memory it ever had resident (VmHWM of
# /proc) and the time of each step, from C-STORE by DCMTK through protection to the PACS, and back by C-MOVE to the bit.
#
# The object is a made-up CT of many frames, 512x512, 16 bits allocated, half a MiB each.
#
# usage: scripts/measure-large-object.sh [--frames N] [--pacs orthanc|dcmqrscp] [--limit MIB]
#   --frames  1 to 8191 (default 4100: more than 2^31 bytes)
#   --pacs    who stores the protected object and gives it back (default orthanc, which needs about twice its size in memory)
#   --limit   resident memory of the gateway that is still right, MiB (default 250)
# Needs five times the object's size in artifacts/large, and removes it afterwards. The result, a Markdown table, goes to
# standard output; the rest to standard error.
# exit: 0 the original came back and the limit held, 1 not, 2 wrong usage or the machine lacks something
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"
source "$repository/scripts/lib/servers.sh"
source "$repository/scripts/lib/dicom.sh"

usage() { sed -n '2,15p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2; }
frames=4100 pacs=orthanc limit=250
while [ $# -gt 0 ]; do
  case "$1" in
    --frames) [[ "${2:-}" =~ ^[0-9]{1,4}$ ]] && [ "$2" -ge 1 ] && [ "$2" -le 8191 ] || usage; frames=$2; shift 2 ;;
    --pacs) [[ "${2:-}" =~ ^(orthanc|dcmqrscp)$ ]] || usage; pacs=$2; shift 2 ;;
    --limit) [[ "${2:-}" =~ ^[0-9]{2,5}$ ]] || usage; limit=$2; shift 2 ;;
    *) usage ;;
  esac
done

exec 4>&1 1>&2
require_commands storescu Orthanc curl
require_npm_unless_fetched
require_dotnet
native_library
build src/PacsStegoGateway/PacsStegoGateway.csproj

work="$repository/artifacts/large"
rm -rf "$work"
mkdir -p "$work/clinic" "$work/pacs"
trap 'stop_servers; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# Six times: the five, and what must stay free.
[ "$(df --output=avail -k "$work" | tail -n 1)" -gt $((frames * 512 * 6)) ] || exit_code=2 fail "the disk has no room for it"

now() { date +%s%N; }
seconds() { awk -v t=$(($(now) - $1)) 'BEGIN { printf "%.1f", t / 1e9 }'; }
# peak PID: the most it had resident since the last call, MiB.
peak() {
  awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$1/status"
  echo 5 >"/proc/$1/clear_refs" 2>/dev/null || true
}
most=0
rows=()
# record WHAT START: one row of the table, with the gateway's peak since the row before.
record() {
  local took resident
  took=$(seconds "$2")
  resident=$(peak "$gateway")
  [ "$resident" -le "$most" ] || most=$resident
  rows+=("| $1 | $took | $resident |")
  say "$1: $took s, $resident MiB"
}
# wait_until SECONDS COMMAND...
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || fail "waited too long for: $*; see $work"
    sleep 0.2
  done
}

step "Making an object of $frames frames"
object=$("$psg" phantom --out "$work/made" --frames "$frames")
bytes=$(stat -c %s "$object")
original=$(data_set_sha256 "$object")
say "$bytes bytes"

read -r gateway_port pacs_port pacs_http clinic_port <<<"$(free_ports 4)"
if [ "$pacs" = orthanc ]; then
  start_orthanc "$work/pacs" "$pacs_port" "$pacs_http" PACS
  pacs_holds() { [ "$(orthanc_count "$pacs_http")" -ge 1 ]; }
else
  printf 'MaxPDUSize = 131072\nMaxAssociations = 8\nHostTable BEGIN\nHostTable END\nAETable BEGIN\nPACS %s RW (9, 16384mb) ANY\nAETable END\n' "$work/pacs" >"$work/dcmqrscp.cfg"
  start_server dcmqrscp "$pacs_port" "$work/dcmqrscp.log" dcmqrscp --bit-preserving -c "$work/dcmqrscp.cfg" "$pacs_port"
  pacs_holds() { grep -q . "$work/pacs/index.dat" 2>/dev/null && [ "$(find "$work/data/spool" -type f -size +1M | wc -l)" -eq 0 ]; }
fi
start_server storescp "$clinic_port" "$work/storescp.log" storescp +B -aet CLINIC -od "$work/clinic" "$clinic_port"
cat >"$work/gateway.json" <<JSON
{
  "DataFolder": "$work/data",
  "Listen": { "Address": "127.0.0.1", "Port": $gateway_port, "AETitles": [ "PSG" ] },
  "Callers": [ { "AETitle": "MEASURE", "Roles": [ "modality" ] }, { "AETitle": "CLINIC", "Roles": [ "reidentifier" ] } ],
  "MoveDestinations": [ { "AETitle": "CLINIC", "Host": "127.0.0.1", "Port": $clinic_port } ],
  "Pacs": { "AETitle": "PACS", "Host": "127.0.0.1", "Port": $pacs_port, "AnswerTimeoutSeconds": 600 },
  "Spool": { "MinFreeMegabytes": 100 },
  "Segmentation": { "ModelPath": "$repository/models/mask-rcnn.onnx" }
}
JSON
"$psg" keys new --config "$work/gateway.json" >/dev/null
start_server gateway "$gateway_port" "$work/gateway.log" "$psg" run --config "$work/gateway.json"
gateway=$started_pid

step "There"
begin=$(now)
record "started, idle" "$begin"
begin=$(now)
storescu -v -td 600 -aet MEASURE -aec PSG 127.0.0.1 "$gateway_port" "$object" >"$work/storescu.log" 2>&1
grep -q 'Received Store Response (Success)' "$work/storescu.log" || fail "the object was not accepted; see $work/storescu.log"
record "received: \`storescu\` started → success answered" "$begin"
begin=$(now)
quarantined() { "$psg" quarantine list --config "$work/gateway.json" | grep -q '^1 in quarantine'; }
wait_until 900 pacs_holds
record "protected, proved and stored at the PACS" "$begin"
quarantined && fail "it is in quarantine"

step "And back"
study=$(value_of "$object" StudyInstanceUID)
begin=$(now)
movescu -td 1800 -ta 1800 -d -S -aet CLINIC -aem CLINIC -aec PSG -k QueryRetrieveLevel=STUDY -k StudyInstanceUID="$study" 127.0.0.1 "$gateway_port" >"$work/movescu.log" 2>&1 || true
record "fetched from the PACS, revealed, proved and delivered by C-MOVE" "$begin"
returned=$(find "$work/clinic" -type f | head -n 1)
[ -n "$returned" ] || { tail -n 20 "$work/movescu.log" "$work/gateway.log" >&2; fail "nothing came back"; }
[ "$(data_set_sha256 "$returned")" = "$original" ] || fail "what came back is not the original"
say "the original came back, bit for bit"
stop_server "$gateway"

{
  printf 'One object of %s bytes (%s frames), %s, %s cores, %s; PACS: %s; .NET %s.\n\n' "$bytes" "$frames" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(date -u +%Y-%m-%d)" "$pacs" "$(dotnet --version)"
  printf '| step | seconds | most resident memory of the gateway, MiB |\n|---|---|---|\n'
  printf '%s\n' "${rows[@]}"
} >&4
[ "$most" -lt "$limit" ] || fail "the gateway had $most MiB resident, $limit are right"
