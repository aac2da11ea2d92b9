#!/usr/bin/env bash
# Measures C-STORE by itself, in one run on this machine: how fast each receiver takes objects in, over one association and
# over four at a time, and how fast each sender gives them to the same receiver. Medians of five.
#   receivers  DCMTK storescp (writes files, flushes nothing; a process an association when there are four), Orthanc, and the
#              gateway, which answers only after the object is flushed to disk and its row is committed, and meanwhile
#              protects what came before
#   senders    DCMTK storescu with TCP_NODELAY=1, and psg send
#   objects    CT 512x512 and MR 256x256, made up, 16 bits allocated
#
# usage: scripts/measure-dimse.sh [--ct N] [--mr N] [--runs N]      (default 300, 5000 and 5)
# The result, Markdown tables, goes to standard output and to artifacts/measure-dimse/dimse.md; the rest to standard error.
# Let nothing else run on the machine meanwhile. Needs about 4 GB of disk.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"
source "$repository/scripts/lib/servers.sh"
source "$repository/scripts/lib/dicom.sh"
source "$repository/scripts/lib/measure.sh"

usage() { sed -n '2,13p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2; }
declare -A count=([ct]=300 [mr]=5000)
runs=5
while [ $# -gt 0 ]; do
  [[ "${2:-}" =~ ^[1-9][0-9]{0,3}$ ]] || usage
  case "$1" in
    --ct) count[ct]=$2 ;;
    --mr) count[mr]=$2 ;;
    --runs) runs=$2 ;;
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

work="$repository/artifacts/measure-dimse"
rm -rf "$work"
mkdir -p "$work"
trap stop_servers EXIT
trap 'exit 130' INT TERM

step "Making ${count[ct]} CT and ${count[mr]} MR images"
"$psg" phantom --out "$work/made" --slices 24 >"$work/phantom.log"
for set in ct mr; do
  python3 "$repository/scripts/lib/multiply.py" "$work/$set" "${count[$set]}" "$work"/made/"$set"-*/*.dcm
  # Four senders at a time: every fourth file each, by links, so that nothing is on the disk twice.
  for part in 0 1 2 3; do mkdir "$work/$set.$part"; done
  number=0
  for file in "$work/$set"/*.dcm; do
    ln "$file" "$work/$set.$((number % 4))/"
    number=$((number + 1))
  done
done
"$psg" phantom --out "$work/warm" --slices 5 --seed 2 >>"$work/phantom.log"
rm -rf "$work/made"

# send SENDER PORT CALLED FOLDER: fails unless every object was answered success.
send() {
  case "$1" in
    storescu) storescu +sd +r -aet MEASURE -aec "$3" 127.0.0.1 "$2" "$4" >"$work/send.log" 2>&1 ;;
    psg) "$psg" send "$3@127.0.0.1:$2" "$4" --calling MEASURE >"$work/send.log" 2>&1 ;;
  esac || fail "$1 did not send every object; see $work/send.log"
}

# timed RECEIVER SENDER PORT CALLED SET ASSOCIATIONS: appends objects a second to the results.
timed() {
  local receiver=$1 sender=$2 port=$3 called=$4 set=$5 associations=$6 start pid pids=()
  start=$(now)
  if [ "$associations" -eq 1 ]; then
    send "$sender" "$port" "$called" "$work/$set"
  else
    for part in 0 1 2 3; do
      send "$sender" "$port" "$called" "$work/$set.$part" &
      pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || fail "a sender failed; see $work/send.log"; done
  fi
  rate "${count[$set]}" $(($(now) - start)) | tee -a "$work/$receiver-$sender-$set-$associations.txt"
}

# Every measurement begins with an empty, warm receiver: a service is started once and runs for months.
# with_storescp|with_orthanc|with_gateway SENDER SET ASSOCIATIONS
with_storescp() {
  local port options=()
  read -r port <<<"$(free_ports 1)"
  [ "$3" -eq 1 ] || options=(--fork)
  mkdir -p "$folder/storescp"
  start_server storescp "$port" "$folder/storescp.log" storescp +B "${options[@]}" -od "$folder/storescp" "$port"
  send storescu "$port" STORESCP "$work/warm"
  say "storescp <- $1, $2, $3: $(timed storescp "$1" "$port" STORESCP "$2" "$3")"
  stop_server "$started_pid"
}

with_orthanc() {
  local port http
  read -r port http <<<"$(free_ports 2)"
  start_orthanc "$folder/orthanc" "$port" "$http"
  send storescu "$port" ORTHANC "$work/warm"
  say "Orthanc <- $1, $2, $3: $(timed orthanc "$1" "$port" ORTHANC "$2" "$3")"
  stop_server "$started_pid"
}

with_gateway() {
  local port pacs http
  read -r port pacs http <<<"$(free_ports 3)"
  start_orthanc "$folder/pacs" "$pacs" "$http"
  local orthanc=$started_pid
  start_gateway "$folder" "$port" "$pacs"
  local gateway=$started_pid limit=$((SECONDS + 120))
  send storescu "$port" PSG "$work/warm"
  until [ "$(orthanc_count "$http")" -ge 20 ]; do
    [ $SECONDS -lt $limit ] || fail "the warm-up did not arrive at the PACS within 120 s; see $folder"
    sleep 0.1
  done
  say "gateway <- $1, $2, $3: $(timed gateway "$1" "$port" PSG "$2" "$3")"
  # What it has taken in it would go on protecting for minutes: it is not waited for.
  kill -KILL "$gateway" 2>/dev/null || true
  wait "$gateway" 2>/dev/null || true
  stop_server "$orthanc"
}

for run in $(seq "$runs"); do
  step "Run $run of $runs"
  for set in ct mr; do
    for receiver in storescp orthanc gateway; do
      for associations in 1 4; do
        folder="$work/run"
        mkdir -p "$folder"
        "with_$receiver" storescu "$set" "$associations"
        rm -rf "$folder"
      done
    done
    folder="$work/run"
    mkdir -p "$folder"
    with_storescp psg "$set" 1
    rm -rf "$folder"
    mkdir -p "$folder"
    with_gateway psg "$set" 1
    rm -rf "$folder"
  done
done

# cell RECEIVER SENDER SET ASSOCIATIONS: median, and its ratio to storescp's from the same runs and sender storescu.
cell() {
  local own reference
  own=$(median <"$work/$1-$2-$3-$4.txt")
  reference=$(median <"$work/storescp-storescu-$3-$4.txt")
  printf '%s (%s x)' "$own" "$(awk -v a="$own" -v b="$reference" 'BEGIN { printf "%.2f", a / b }')"
}

row() { printf '| %s | %s | %s | %s | %s |\n' "$1" "$(cell "$2" storescu ct 1)" "$(cell "$2" storescu ct 4)" "$(cell "$2" storescu mr 1)" "$(cell "$2" storescu mr 4)"; }
{
  printf '%s CT of 512x512 and %s MR of 256x256; %s runs; %s.\n\n' "${count[ct]}" "${count[mr]}" "$runs" "$(machine)"
  printf 'Objects/s received from `storescu`, median, in brackets the ratio to `storescp`:\n\n'
  printf '| receiver | CT, one association | CT, four | MR, one | MR, four |\n|---|---|---|---|---|\n'
  row 'DCMTK `storescp` (flushes nothing)' storescp
  row 'Orthanc' orthanc
  row 'gateway (flushed and committed), while it protects' gateway
  printf '\nObjects/s sent over one association, median, in brackets the ratio to `storescu`:\n\n'
  printf '| sender and receiver | CT | MR |\n|---|---|---|\n'
  printf '| `storescu` to `storescp` | %s | %s |\n' "$(cell storescp storescu ct 1)" "$(cell storescp storescu mr 1)"
  printf '| `psg send` to `storescp` | %s | %s |\n' "$(cell storescp psg ct 1)" "$(cell storescp psg mr 1)"
  printf '| `psg send` to the gateway | %s | %s |\n' "$(cell gateway psg ct 1)" "$(cell gateway psg mr 1)"
} | tee "$work/dimse.md" >&4
