#!/usr/bin/env bash
# Measures C-MOVE in one run on this machine: images a second that the gateway fetches from an Orthanc, re-identifies, proves and
# delivers to DCMTK storescp, beside an Orthanc that moves the same images, as they were made, to the same destination. Medians.
#
# usage: scripts/measure-retrieve.sh [--ct N] [--runs N]      (default 200 and 5)
# The result, a Markdown table, goes to standard output and to artifacts/measure-retrieve/retrieve.md; the rest to standard error.
# Let nothing else run on the machine meanwhile.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"
source "$repository/scripts/lib/servers.sh"
source "$repository/scripts/lib/dicom.sh"
source "$repository/scripts/lib/measure.sh"

usage() { sed -n '2,7p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2; }
count=200
runs=5
while [ $# -gt 0 ]; do
  [[ "${2:-}" =~ ^[1-9][0-9]{0,3}$ ]] || usage
  case "$1" in
    --ct) count=$2 ;;
    --runs) runs=$2 ;;
    *) usage ;;
  esac
  shift 2
done

exec 4>&1 1>&2
require_commands storescu movescu storescp Orthanc curl
require_npm_unless_fetched
require_dotnet
native_library
publish

work="$repository/artifacts/measure-retrieve"
rm -rf "$work"
mkdir -p "$work/received" "$work/pacs" "$work/originals" "$work/gateway"
trap stop_servers EXIT
trap 'exit 130' INT TERM

step "Making $count CT images"
"$psg" phantom --out "$work/made" --slices 24 >"$work/phantom.log"
python3 "$repository/scripts/lib/multiply.py" "$work/ct" "$count" "$work"/made/ct-*/*.dcm
rm -rf "$work/made"
mapfile -t studies < <(for file in "$work"/ct/*.dcm; do value_of "$file" StudyInstanceUID; done | sort -u)

read -r port pacs http originals originals_http clinic <<<"$(free_ports 6)"
start_server storescp "$clinic" "$work/storescp.log" storescp +B -aet CLINIC -od "$work/received" "$clinic"
start_orthanc "$work/pacs" "$pacs" "$http"
start_orthanc "$work/originals" "$originals" "$originals_http"
curl --silent --fail --output /dev/null -X PUT "http://127.0.0.1:$originals_http/modalities/clinic" \
  --data "{ \"AET\": \"CLINIC\", \"Host\": \"127.0.0.1\", \"Port\": $clinic }"
cat >"$work/gateway/gateway.json" <<JSON
{
  "DataFolder": "$work/gateway/data",
  "Listen": { "Address": "127.0.0.1", "Port": $port, "AETitles": [ "PSG" ] },
  "Callers": [ { "AETitle": "MEASURE", "Roles": [ "modality", "reidentifier" ] } ],
  "MoveDestinations": [ { "AETitle": "CLINIC", "Host": "127.0.0.1", "Port": $clinic } ],
  "Pacs": { "AETitle": "ORTHANC", "Host": "127.0.0.1", "Port": $pacs },
  "Spool": { "MinFreeMegabytes": 100 },
  "Segmentation": { "ModelPath": "$repository/models/mask-rcnn.onnx" }
}
JSON
"$psg" keys new --config "$work/gateway/gateway.json" >/dev/null
start_server gateway "$port" "$work/gateway/gateway.log" "$psg" run --config "$work/gateway/gateway.json"

step "Storing them"
storescu +sd +r -aet MEASURE -aec ORTHANC 127.0.0.1 "$originals" "$work/ct" >"$work/send.log" 2>&1 || fail "Orthanc did not take the images; see $work/send.log"
storescu +sd +r -aet MEASURE -aec PSG 127.0.0.1 "$port" "$work/ct" >"$work/send.log" 2>&1 || fail "the gateway did not take the images; see $work/send.log"
limit=$((SECONDS + 60 + count * 5))
until [ "$(orthanc_count "$http")" -ge "$count" ]; do
  [ $SECONDS -lt $limit ] || fail "$(orthanc_count "$http") of $count images reached the PACS; see $work/gateway/gateway.log"
  sleep 0.5
done

# timed NAME PORT CALLED: moves every study and appends images a second; fails unless every image arrived.
timed() {
  local start
  rm -f "$work"/received/*
  start=$(now)
  for study in "${studies[@]}"; do
    movescu -S -aet MEASURE -aec "$3" -aem CLINIC -k QueryRetrieveLevel=STUDY -k "StudyInstanceUID=$study" 127.0.0.1 "$2" >"$work/move.log" 2>&1 \
      || fail "$1 did not move a study; see $work/move.log"
  done
  local took=$(($(now) - start)) arrived
  arrived=$(find "$work/received" -type f | wc -l)
  [ "$arrived" -eq "$count" ] || fail "$1 delivered $arrived of $count images"
  rate "$count" "$took" | tee -a "$work/$1.txt"
}

for run in $(seq "$runs"); do
  step "Run $run of $runs"
  say "Orthanc: $(timed orthanc "$originals" ORTHANC)"
  say "gateway: $(timed gateway "$port" PSG)"
done

{
  printf '%s CT of 512x512 in %s studies; %s runs; %s.\n\n' "$count" "${#studies[@]}" "$runs" "$(machine)"
  printf '| C-MOVE to `storescp` | images/s, median | range |\n|---|---|---|\n'
  printf '| Orthanc, of the originals that it holds | %s | %s |\n' "$(median <"$work/orthanc.txt")" "$(range <"$work/orthanc.txt")"
  printf '| gateway: fetched from Orthanc, re-identified, proved | %s | %s |\n' "$(median <"$work/gateway.txt")" "$(range <"$work/gateway.txt")"
} | tee "$work/retrieve.md" >&4
