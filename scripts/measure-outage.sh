#!/usr/bin/env bash
# Measures how long the gateway takes to hand over what waited while its PACS was away: the PACS is off, many small images
# (MR 256x256) come in from four senders and are protected, the PACS comes back. Beside it, in the same run, an Orthanc that
# stores the same images and forwards each to another Orthanc that is off meanwhile.
#
# usage: scripts/measure-outage.sh [--images N] [--minutes N]
#   --images   1 to 100000 (default 10000, which needs about 10 GB of disk and an hour on two cores, mostly for protecting)
#   --minutes  longest wait for any one step (default 90)
# The result, a Markdown table, goes to standard output and to artifacts/measure-outage/outage.md; the rest to standard error.
# Let nothing else run on the machine meanwhile.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"
source "$repository/scripts/lib/servers.sh"
source "$repository/scripts/lib/dicom.sh"
source "$repository/scripts/lib/measure.sh"
source "$repository/scripts/lib/senders.sh"

usage() { sed -n '2,10p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2; }
images=10000 minutes=90
while [ $# -gt 0 ]; do
  case "$1" in
    --images) [[ "${2:-}" =~ ^[1-9][0-9]{0,5}$ ]] || usage; images=$2 ;;
    --minutes) [[ "${2:-}" =~ ^[1-9][0-9]{0,3}$ ]] || usage; minutes=$2 ;;
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

work="$repository/artifacts/measure-outage"
rm -rf "$work"
mkdir -p "$work/ours" "$work/theirs"
trap stop_servers EXIT
trap 'exit 130' INT TERM
limit=$((minutes * 60))

step "Making $images MR images"
make_images "$work/made" mr "$images"
split_images "$work/made" "$work/part" 4

# rows STATE: of the gateway's instances.
rows() {
  /usr/bin/python3 -c 'import sqlite3, sys
print(sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True).execute("SELECT COUNT(*) FROM instances WHERE state = ?", (sys.argv[2],)).fetchone()[0])' \
    "$work/ours/data/gateway.db" "$1"
}
seconds() { awk -v t="$1" 'BEGIN { printf "%.1f", t / 1e9 }'; }

step "The gateway, its PACS away"
read -r gateway_port pacs_port pacs_http front_port front_http other_port other_http <<<"$(free_ports 7)"
start_gateway "$work/ours" "$gateway_port" "$pacs_port"
start=$(now)
send_parts "$work/part" 4 "$gateway_port" PSG "$work/ours/send"
received=$(($(now) - start))
deadline=$((SECONDS + limit))
until [ "$(rows protected)" -eq "$images" ]; do
  [ $SECONDS -lt $deadline ] || fail "only $(rows protected) of $images were protected within $minutes minutes"
  sleep 0.5
done
say "$images received in $(seconds "$received") s, all protected after $(seconds $(($(now) - start))) s"

step "The PACS is back"
start_orthanc "$work/ours/pacs" "$pacs_port" "$pacs_http"
start=$(now)
wait_for_instances "$pacs_http" 1 700
first=$(($(now) - start))
wait_for_instances "$pacs_http" "$images" "$limit"
drained=$(($(now) - start))
stop_servers

step "Orthanc in the place of the gateway, its destination away"
start_forwarding_orthanc "$work/theirs/front" "$front_port" "$front_http" "$other_port"
send_parts "$work/part" 4 "$front_port" FRONT "$work/theirs/send"
# Its jobs have tried by now what they try: none is left pending or running.
deadline=$((SECONDS + limit))
while curl --silent "http://127.0.0.1:$front_http/jobs?expand" | grep -q '"State" : "\(Pending\|Running\|Retry\)"'; do
  [ $SECONDS -lt $deadline ] || fail "Orthanc's jobs did not end within $minutes minutes"
  sleep 1
done
start_orthanc "$work/theirs/pacs" "$other_port" "$other_http"
start=$(now)
others=-1 steady=0
until [ "$steady" -ge 30 ]; do
  count=$(orthanc_count "$other_http")
  if [ "$count" -eq "$others" ]; then steady=$((steady + 1)); else steady=0 others=$count; fi
  if [ "$count" -ge "$images" ]; then break; fi
  [ $SECONDS -lt $((deadline + limit)) ] || break
  sleep 1
done
took=$(($(now) - start))

{
  printf '%s images, MR 256x256, four senders; %s.\n\n' "$images" "$(machine)"
  printf '| after the outage | arrived of %s | seconds until the first | seconds until the last | images/s |\n|---|---|---|---|---|\n' "$images"
  printf '| gateway → Orthanc | %s | %s | %s | %s |\n' "$images" "$(seconds "$first")" "$(seconds "$drained")" "$(rate "$images" "$drained")"
  if [ "$others" -ge "$images" ]; then
    printf '| Orthanc → Orthanc, by itself | %s | | %s | %s |\n' "$others" "$(seconds "$took")" "$(rate "$images" "$took")"
  else
    printf '| Orthanc → Orthanc, by itself, 30 s after the last change | %s | | | |\n' "$others"
  fi
} | tee "$work/outage.md" >&4
rm -rf "$work/made" "$work"/part.*
