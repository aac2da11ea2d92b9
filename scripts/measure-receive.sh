#!/usr/bin/env bash
# Measures how fast objects are received for good, with the spool encrypted and not, beside Orthanc storing the same images in the
# same run: over one association and over four at a time, medians of five.
#   new     images that nobody has seen: the gateway flushes file and row before it answers, and meanwhile protects and forwards
#           what came before
#   known   the same images once more, when all of them have left: received, hashed, encrypted, flushed and compared, not protected
#
# usage: scripts/measure-receive.sh [--images N] [--runs N]      (default 300 and 5)
# The result, Markdown tables, goes to standard output and to artifacts/measure-receive/receive.md; the rest to standard error.
# Let nothing else run on the machine meanwhile. Needs about 2 GB of disk.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"
source "$repository/scripts/lib/servers.sh"
source "$repository/scripts/lib/dicom.sh"
source "$repository/scripts/lib/measure.sh"

usage() { sed -n '2,10p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2; }
images=300
runs=5
while [ $# -gt 0 ]; do
  [[ "${2:-}" =~ ^[1-9][0-9]{0,3}$ ]] || usage
  case "$1" in
    --images) images=$2 ;;
    --runs) runs=$2 ;;
    *) usage ;;
  esac
  shift 2
done
[ "$images" -ge 4 ] || usage

exec 4>&1 1>&2
require_commands storescu Orthanc curl
require_npm_unless_fetched
require_dotnet
native_library
publish

work="$repository/artifacts/measure-receive"
rm -rf "$work"
mkdir -p "$work"
trap stop_servers EXIT
trap 'exit 130' INT TERM

step "Making $images CT images"
"$psg" phantom --out "$work/made" --slices 24 >"$work/phantom.log"
python3 "$repository/scripts/lib/multiply.py" "$work/ct" "$images" "$work"/made/ct-*/*.dcm
for part in 0 1 2 3; do mkdir "$work/ct.$part"; done
number=0
for file in "$work/ct"/*.dcm; do
  # Four senders at a time: every fourth file each, by links, so that nothing is on the disk twice.
  ln "$file" "$work/ct.$((number % 4))/"
  number=$((number + 1))
done
"$psg" phantom --out "$work/warm" --slices 5 --seed 2 >>"$work/phantom.log"
warm=$(find "$work/warm" -name '*.dcm' | wc -l)
rm -rf "$work/made"

# send PORT CALLED FOLDER: fails unless every object was answered success.
send() { storescu +sd +r -aet MEASURE -aec "$2" 127.0.0.1 "$1" "$3" >"$work/send.log" 2>&1 || fail "storescu did not send every object; see $work/send.log"; }

# timed NAME PORT CALLED ASSOCIATIONS: appends images a second to the results.
timed() {
  local start pid pids=()
  start=$(now)
  if [ "$4" -eq 1 ]; then
    send "$2" "$3" "$work/ct"
  else
    for part in 0 1 2 3; do
      send "$2" "$3" "$work/ct.$part" &
      pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || fail "a sender failed; see $work/send.log"; done
  fi
  rate "$images" $(($(now) - start)) >>"$work/$1-$4.txt"
  say "$1, associations $4: $(tail -n 1 "$work/$1-$4.txt")"
}

# until_forwarded HTTP COUNT: the PACS has so many.
until_forwarded() {
  local limit=$((SECONDS + 600))
  until [ "$(orthanc_count "$1")" -ge "$2" ]; do
    [ $SECONDS -lt $limit ] || fail "not all images arrived at the PACS within 600 s; see $folder"
    sleep 0.2
  done
}

with_orthanc() {
  local port http
  read -r port http <<<"$(free_ports 2)"
  start_orthanc "$folder/orthanc" "$port" "$http"
  send "$port" ORTHANC "$work/warm"
  timed orthanc-new "$port" ORTHANC "$1"
  timed orthanc-known "$port" ORTHANC "$1"
  stop_server "$started_pid"
}

# with_gateway ASSOCIATIONS NAME ENCRYPT
with_gateway() {
  local port pacs http orthanc
  read -r port pacs http <<<"$(free_ports 3)"
  start_orthanc "$folder/pacs" "$pacs" "$http"
  orthanc=$started_pid
  PSG__Spool__Encrypt=$3 start_gateway "$folder" "$port" "$pacs"
  local gateway=$started_pid
  send "$port" PSG "$work/warm"
  until_forwarded "$http" "$warm"
  timed "$2-new" "$port" PSG "$1"
  until_forwarded "$http" $((warm + images))
  timed "$2-known" "$port" PSG "$1"
  stop_server "$gateway"
  stop_server "$orthanc"
}

for run in $(seq "$runs"); do
  step "Run $run of $runs"
  for associations in 1 4; do
    for receiver in orthanc encrypted plain; do
      folder="$work/run"
      mkdir -p "$folder"
      case "$receiver" in
        orthanc) with_orthanc "$associations" ;;
        encrypted) with_gateway "$associations" encrypted true ;;
        plain) with_gateway "$associations" plain false ;;
      esac
      rm -rf "$folder"
    done
  done
done

cell() { printf '%s (%s)' "$(median <"$work/$1.txt")" "$(range <"$work/$1.txt")"; }
row() { printf '| %s | %s | %s | %s | %s |\n' "$1" "$(cell "$2-new-1")" "$(cell "$2-new-4")" "$(cell "$2-known-1")" "$(cell "$2-known-4")"; }
{
  printf '%s CT of 512x512, 512 KiB each; %s runs; %s.\n\n' "$images" "$runs" "$(machine)"
  printf 'Images/s received from `storescu`, median (least to most):\n\n'
  printf '| receiver | new, one association | new, four | known, one | known, four |\n|---|---|---|---|---|\n'
  row 'Orthanc (flushes nothing)' orthanc
  row 'gateway, spool encrypted (flushed and committed before the answer; protects and forwards meanwhile)' encrypted
  row 'gateway, spool not encrypted' plain
} | tee "$work/receive.md" >&4
