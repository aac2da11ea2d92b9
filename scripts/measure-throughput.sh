#!/usr/bin/env bash
# Measures, in one run on this machine, how fast objects are received and how fast the whole job goes.
# The same 300 made-up CT images of 512x512, the same sender (DCMTK storescu, TCP_NODELAY=1, one association), medians of five:
#   receive    images/s from start to end of storescu, into DCMTK storescp, Orthanc, and the gateway, which answers success
#              only after the object is flushed to disk and its row is committed
#   whole job  images/s from start of storescu until the PACS behind the gateway holds the last protected image
#
# Every receiver first gets 20 other images, so that none is measured cold (a service is started once and runs for months).
#
# usage: scripts/measure-throughput.sh [--images N] [--runs N]      (default 300 and 5)
# The result, a Markdown table, goes to standard output and to artifacts/measure/throughput.md; the rest to standard error.
# Let nothing else run on the machine meanwhile.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"
source "$repository/scripts/lib/servers.sh"
source "$repository/scripts/lib/dicom.sh"
source "$repository/scripts/lib/measure.sh"

usage() { sed -n '2,12p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2; }
images=300 runs=5
while [ $# -gt 0 ]; do
  case "$1" in
    --images) [[ "${2:-}" =~ ^[0-9]{1,4}$ ]] && [ "$2" -ge 2 ] || usage; images=$2; shift 2 ;;
    --runs) [[ "${2:-}" =~ ^[0-9]{1,2}$ ]] && [ "$2" -ge 1 ] || usage; runs=$2; shift 2 ;;
    *) usage ;;
  esac
done

exec 4>&1 1>&2
require_commands storescu Orthanc curl
require_npm_unless_fetched
require_dotnet
native_library
publish

work="$repository/artifacts/measure"
rm -rf "$work"
mkdir -p "$work"
trap stop_servers EXIT
trap 'exit 130' INT TERM

step "Making $images CT images"
"$psg" phantom --out "$work/made" --slices $(((images + 1) / 2)) >"$work/phantom.log"
mkdir "$work/ct"
number=0
for file in "$work"/made/ct-*/*.dcm; do
  [ "$number" -lt "$images" ] || break
  mv "$file" "$work/ct/$(printf %04d "$number").dcm"
  number=$((number + 1))
done
"$psg" phantom --out "$work/other" --slices 10 --seed 2 >>"$work/phantom.log"
mkdir "$work/warm"
for file in "$work"/other/ct-*/*.dcm; do mv "$file" "$work/warm/$(basename "$(dirname "$file")")-$(basename "$file")"; done
warm=$(find "$work/warm" -name '*.dcm' | wc -l)
rm -rf "$work/made" "$work/other"

# warm_up PORT CALLED
warm_up() { storescu +sd -aet MEASURE -aec "$2" 127.0.0.1 "$1" "$work/warm" >/dev/null 2>&1 || fail "the warm-up was not accepted"; }

# wait_for_pacs COUNT
wait_for_pacs() {
  local limit=$((SECONDS + 600))
  until [ "$(orthanc_count "$pacs_http")" -ge "$1" ]; do
    [ $SECONDS -lt $limit ] || fail "the PACS does not hold every image after 600 s; see $folder"
    sleep 0.05
  done
}

# send PORT CALLED LOG: all images on one association; prints nanoseconds; fails unless every image was answered success.
send() {
  local start end
  start=$(now)
  storescu -v +sd -aet MEASURE -aec "$2" 127.0.0.1 "$1" "$work/ct" >"$3" 2>&1
  end=$(now)
  [ "$(grep -c 'Received Store Response (Success)' "$3")" -eq "$images" ] || fail "not every image was accepted; see $3"
  echo $((end - start))
}

for run in $(seq "$runs"); do
  step "Run $run of $runs"
  read -r scp_port pacs_port pacs_http gateway_port <<<"$(free_ports 4)"
  # Every run begins with empty servers, so that no receiver is helped or hindered by what it already has.
  folder="$work/run-$run"
  mkdir -p "$folder/storescp"

  start_server storescp "$scp_port" "$folder/storescp.log" storescp +B -od "$folder/storescp" "$scp_port"
  pid=$started_pid
  warm_up "$scp_port" STORESCP
  rate "$images" "$(send "$scp_port" STORESCP "$folder/send-storescp.log")" >>"$work/storescp.txt"
  stop_server "$pid"

  start_orthanc "$folder/orthanc" "$pacs_port" "$pacs_http"
  pid=$started_pid
  warm_up "$pacs_port" ORTHANC
  rate "$images" "$(send "$pacs_port" ORTHANC "$folder/send-orthanc.log")" >>"$work/orthanc.txt"
  stop_server "$pid"

  start_orthanc "$folder/pacs" "$pacs_port" "$pacs_http"
  pacs=$started_pid
  start_gateway "$folder" "$gateway_port" "$pacs_port"
  gateway=$started_pid
  warm_up "$gateway_port" PSG
  wait_for_pacs "$warm"
  start=$(now)
  rate "$images" "$(send "$gateway_port" PSG "$folder/send-gateway.log")" >>"$work/gateway.txt"
  wait_for_pacs $((warm + images))
  rate "$images" $(($(now) - start)) >>"$work/job.txt"
  stop_server "$gateway"
  stop_server "$pacs"
  for name in storescp orthanc gateway job; do say "$name: $(tail -n 1 "$work/$name.txt") images/s"; done
  rm -rf "$folder"
done

row() { printf '| %s | %s | %s |\n' "$1" "$(median <"$work/$2.txt")" "$(range <"$work/$2.txt")"; }
{
  printf '%s images, CT 512x512, 16 bits allocated, %s MiB in all; %s runs; %s.\n\n' \
    "$images" "$(du -sm "$work/ct" | cut -f 1)" "$runs" "$(machine)"
  printf '| what | images/s, median | least to most |\n|---|---|---|\n'
  row 'receive: DCMTK `storescp` (writes files, flushes nothing)' storescp
  row 'receive: Orthanc (writes files and its index)' orthanc
  row 'receive: gateway (flushed to disk and committed before the answer), while it protects and forwards' gateway
  row 'whole job: `storescu` started → last protected image stored at Orthanc' job
} | tee "$work/throughput.md" >&4
