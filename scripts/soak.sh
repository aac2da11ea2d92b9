#!/usr/bin/env bash
# Lets the gateway work for a long time under a steady load from four senders (DCMTK storescu) to an Orthanc, and records what it
# takes: resident memory, threads, open files, rows in each state, the size of spool and database. Nothing may grow but rows.
#
# usage: scripts/soak.sh [--minutes N] [--rate N]
#   --minutes  1 to 10000 (default 60)
#   --rate     images a second, MR 256x256, 1 to 100 (default 8); the PACS keeps 0.5 GB an hour for each
# Samples are taken every five seconds; artifacts/soak/soak.csv has them all, artifacts/soak/soak.txt the curves.
# exit: 0 everything arrived and neither memory nor open files grew, 1 something did not or did, 2 wrong usage
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"
source "$repository/scripts/lib/servers.sh"
source "$repository/scripts/lib/dicom.sh"
source "$repository/scripts/lib/measure.sh"
source "$repository/scripts/lib/senders.sh"

usage() { sed -n '2,10p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2; }
minutes=60 per_second=8
while [ $# -gt 0 ]; do
  case "$1" in
    --minutes) [[ "${2:-}" =~ ^[1-9][0-9]{0,3}$ ]] || usage; minutes=$2 ;;
    --rate) [[ "${2:-}" =~ ^([1-9][0-9]?|100)$ ]] || usage; per_second=$2 ;;
    *) usage ;;
  esac
  shift 2
done

require_commands storescu Orthanc curl
require_npm_unless_fetched
require_dotnet
native_library
publish

work="$repository/artifacts/soak"
rm -rf "$work"
mkdir -p "$work"
trap stop_servers EXIT
trap 'exit 130' INT TERM
every=5

step "Starting an Orthanc and the gateway; $per_second images a second for $minutes minutes"
read -r gateway_port pacs_port pacs_http <<<"$(free_ports 3)"
start_orthanc "$work/pacs" "$pacs_port" "$pacs_http"
start_gateway "$work" "$gateway_port" "$pacs_port"
gateway=$started_pid
"$psg" phantom --out "$work/phantoms" --slices 24 >/dev/null

field() { sed -n "s/^$1:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$gateway/status"; }
rows() {
  /usr/bin/python3 -c 'import sqlite3, sys
counts = dict(sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True).execute("SELECT state, COUNT(*) FROM instances GROUP BY state"))
print(",".join(str(counts.get(state, 0)) for state in ("received", "protected", "forwarded", "quarantined")))' "$work/data/gateway.db"
}
sample() {
  printf '%s,%s,%s,%s,%s,%s,%s,%s,%s\n' "$((SECONDS - began))" "$sent" "$(($(field VmRSS) / 1024))" "$(field Threads)" \
    "$(find "/proc/$gateway/fd" -mindepth 1 | wc -l)" "$(rows)" "$(du -sm "$work/data/spool" | cut -f 1)" \
    "$(du -cm "$work"/data/gateway.db* | tail -n 1 | cut -f 1)" "$(orthanc_count "$pacs_http")"
}

echo 'seconds,acknowledged,resident_MiB,threads,open_files,received,protected,forwarded,quarantined,spool_MiB,database_MiB,at_PACS' >"$work/soak.csv"
sent=0 began=$SECONDS batch=$((per_second * every)) end=$((SECONDS + minutes * 60)) said=0
while [ $SECONDS -lt $end ]; do
  next=$((SECONDS + every))
  /usr/bin/python3 "$repository/scripts/lib/multiply.py" "$work/batch" "$batch+$sent" "$work"/phantoms/mr-*/*.dcm
  split_images "$work/batch" "$work/part" 4
  send_parts "$work/part" 4 "$gateway_port" PSG "$work/send"
  rm -rf "$work/batch" "$work"/part.*
  sent=$((sent + batch))
  sample >>"$work/soak.csv"
  if [ $((SECONDS - said)) -ge 60 ] || [ "$said" -eq 0 ]; then
    said=$SECONDS
    say "$(tail -n 1 "$work/soak.csv")"
  fi
  until [ $SECONDS -ge $next ]; do sleep 0.2; done
done
step "Waiting until everything is at the PACS"
wait_for_instances "$pacs_http" "$sent" $((300 + sent / 5))
sample >>"$work/soak.csv"

# curve COLUMN: sixty columns wide, ten high, of the CSV.
curve() {
  awk -F , -v name="$1" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i; next }
    { v[NR - 1] = $column; n = NR - 1; if ($column > top) top = $column }
    END {
      printf "%s, 0 to %s\n", name, top
      for (x = 0; x < 60; x++) { i = 1 + int(x * (n - 1) / 59); h[x] = top > 0 ? int(v[i] * 10 / top + 0.5) : 0 }
      for (y = 10; y >= 1; y--) { line = "  |"; for (x = 0; x < 60; x++) line = line (h[x] >= y ? "#" : " "); print line }
      print "  +------------------------------------------------------------\n"
    }' "$work/soak.csv"
}
for column in resident_MiB open_files threads spool_MiB database_MiB; do curve "$column"; done | tee "$work/soak.txt"

# quarter COLUMN first|last: median over a quarter of the run; the first one begins after the first quarter, which is for warming up.
quarter() {
  local all from
  all=$(($(wc -l <"$work/soak.csv") - 1))
  if [ "$2" = first ]; then from=$((all / 4)); else from=$((all - all / 4)); fi
  tail -n +2 "$work/soak.csv" | cut -d , -f "$1" | tail -n +$((from + 1)) | head -n $((all / 4 + 1)) | median
}
memory_before=$(quarter 3 first) memory_after=$(quarter 3 last) files_before=$(quarter 5 first) files_after=$(quarter 5 last)
say "$sent images; resident memory $memory_before → $memory_after MiB, open files $files_before → $files_after (medians of the second and the last quarter)"
awk -v a="$memory_before" -v b="$memory_after" 'BEGIN { exit !(b <= a * 1.2 + 20) }' || fail "resident memory grew; see $work/soak.csv"
awk -v a="$files_before" -v b="$files_after" 'BEGIN { exit !(b <= a + 10) }' || fail "open files grew; see $work/soak.csv"
rm -rf "$work/pacs" "$work/phantoms"
