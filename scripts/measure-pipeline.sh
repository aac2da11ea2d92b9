#!/usr/bin/env bash
# Measures the whole job with four senders at a time (DCMTK storescu, TCP_NODELAY=1), in one run on this machine: the same
# made-up images through the gateway to an Orthanc, and through an Orthanc that stores and forwards each to another Orthanc.
#   received   images/s from the first storescu's start to the last one's end
#   arrived    images/s from the first storescu's start until the last image is at the Orthanc behind
# The gateway answers only what is flushed to disk and committed, protects every image and proves it; Orthanc does neither.
#
# usage: scripts/measure-pipeline.sh [--images N] [--runs N] [--senders N]      (default 400, 5 and 4)
# The result, a Markdown table of medians, goes to standard output and to artifacts/measure-pipeline/pipeline.md; the rest to
# standard error. Let nothing else run on the machine meanwhile.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"
source "$repository/scripts/lib/servers.sh"
source "$repository/scripts/lib/dicom.sh"
source "$repository/scripts/lib/measure.sh"
source "$repository/scripts/lib/senders.sh"

usage() { sed -n '2,11p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2; }
images=400 runs=5 senders=4
while [ $# -gt 0 ]; do
  case "$1" in
    --images) [[ "${2:-}" =~ ^[1-9][0-9]{0,4}$ ]] || usage; images=$2 ;;
    --runs) [[ "${2:-}" =~ ^[1-9][0-9]?$ ]] || usage; runs=$2 ;;
    --senders) [[ "${2:-}" =~ ^([1-9]|1[0-6])$ ]] || usage; senders=$2 ;;
    *) usage ;;
  esac
  shift 2
done

exec 4>&1 1>&2
require_commands storescu Orthanc curl
require_npm_unless_fetched
require_dotnet
native_library
publish

work="$repository/artifacts/measure-pipeline"
rm -rf "$work"
mkdir -p "$work"
trap stop_servers EXIT
trap 'exit 130' INT TERM

step "Making $images CT images"
make_images "$work/made" ct "$images"
split_images "$work/made" "$work/part" "$senders"
"$psg" phantom --out "$work/warm" --slices 5 --seed 2 >/dev/null
warm=$(find "$work/warm" -name '*.dcm' | wc -l)

# measure NAME PORT CALLED HTTP: appends both rates; the receiver is warm and empty but for the warm-up.
measure() {
  local name=$1 port=$2 called=$3 http=$4 start
  storescu +sd +r -aet MEASURE -aec "$called" 127.0.0.1 "$port" "$work/warm" >"$folder/warm.log" 2>&1 || fail "the warm-up was not accepted; see $folder/warm.log"
  wait_for_instances "$http" "$warm" 120
  start=$(now)
  send_parts "$work/part" "$senders" "$port" "$called" "$folder/send"
  rate "$images" $(($(now) - start)) >>"$work/$name-received.txt"
  wait_for_instances "$http" $((warm + images)) 1800
  rate "$images" $(($(now) - start)) >>"$work/$name-arrived.txt"
  say "$name: received $(tail -n 1 "$work/$name-received.txt"), arrived $(tail -n 1 "$work/$name-arrived.txt") images/s"
}

for run in $(seq "$runs"); do
  step "Run $run of $runs"
  # Every run begins with empty servers, so that no receiver is helped or hindered by what it already has.
  folder="$work/run"
  mkdir -p "$folder"
  read -r gateway_port pacs_port pacs_http front_port front_http <<<"$(free_ports 5)"
  start_orthanc "$folder/pacs" "$pacs_port" "$pacs_http"
  pacs=$started_pid
  start_gateway "$folder" "$gateway_port" "$pacs_port"
  gateway=$started_pid
  measure gateway "$gateway_port" PSG "$pacs_http"
  stop_server "$gateway"
  stop_server "$pacs"
  rm -rf "$folder"

  mkdir -p "$folder"
  start_orthanc "$folder/pacs" "$pacs_port" "$pacs_http"
  pacs=$started_pid
  start_forwarding_orthanc "$folder/front" "$front_port" "$front_http" "$pacs_port"
  front=$started_pid
  measure orthanc "$front_port" FRONT "$pacs_http"
  stop_server "$front"
  stop_server "$pacs"
  rm -rf "$folder"
done

row() { printf '| %s | %s (%s) | %s (%s) |\n' "$1" "$(median <"$work/$2-received.txt")" "$(range <"$work/$2-received.txt")" \
  "$(median <"$work/$2-arrived.txt")" "$(range <"$work/$2-arrived.txt")"; }
{
  printf '%s images, CT 512x512, 16 bits allocated, %s senders at a time; %s runs; %s.\n\n' "$images" "$senders" "$runs" "$(machine)"
  printf '| images/s, median (least to most) | received | arrived at the PACS |\n|---|---|---|\n'
  row 'gateway → Orthanc (durable, protected, proved)' gateway
  row 'Orthanc → Orthanc (stored and forwarded as it is)' orthanc
} | tee "$work/pipeline.md" >&4
