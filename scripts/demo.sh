#!/usr/bin/env bash
# Shows the whole job on this machine: a made-up patient's CT and MR study goes through the gateway into a stand-in PACS,
# and comes back to the one who may have it. Installs and builds what is missing first; after that it works offline.
#
# usage: scripts/demo.sh [--slices N] [--seed N]
#   --slices  images in each of the four series, 2 to 200 (default 6)
#   --seed    another number makes another patient (default 1)
# Everything it makes is in artifacts/demo/; it leaves nothing running.
# exit: 0 every claim of the summary holds, 1 one does not, 2 wrong usage or the machine lacks something
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/common.sh"
source "$repository/scripts/lib/packages.sh"
source "$repository/scripts/lib/servers.sh"
source "$repository/scripts/lib/dicom.sh"

usage() { sed -n '2,9p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2; exit 2; }
slices=6 seed=1
while [ $# -gt 0 ]; do
  case "$1" in
    --slices) [[ "${2:-}" =~ ^[0-9]{1,3}$ ]] && [ "$2" -ge 2 ] && [ "$2" -le 200 ] || usage; slices=$2; shift 2 ;;
    --seed) [[ "${2:-}" =~ ^[0-9]{1,9}$ ]] || usage; seed=$2; shift 2 ;;
    *) usage ;;
  esac
done

require_commands storescu Orthanc curl
require_npm_unless_fetched
require_dotnet
native_library
build src/PacsStegoGateway/PacsStegoGateway.csproj

demo="$repository/artifacts/demo"
rm -rf "$demo"
mkdir -p "$demo"/{sent,wire-explicit,wire-implicit,held,received,refused,logs}
trap stop_servers EXIT
trap 'exit 130' INT TERM

claims=() broken=0
# claim TEXT COMMAND...: one line of the summary, true when the command succeeds.
claim() {
  local text=$1
  shift
  if "$@" >/dev/null 2>&1; then claims+=("$green✓$plain $text"); else claims+=("$red✗$plain $text"); broken=1; fi
}

step "Making a study of a patient who never lived (seed $seed, 4 series of $slices slices)"
"$psg" phantom --out "$demo/sent" --seed "$seed" --slices "$slices" | sed 's/^/    /'
mapfile -t sent < <(find "$demo/sent" -name '*.dcm' | sort)
total=${#sent[@]}
say "$total images in artifacts/demo/sent"

step "Starting a stand-in PACS (Orthanc) and the gateway (SQLite, local folders)"
read -r gateway_port pacs_port pacs_http clinic_port wire_port <<<"$(free_ports 5)"
cat >"$demo/gateway.json" <<JSON
{
  "DataFolder": "$demo/data",
  "Listen": { "Address": "127.0.0.1", "Port": $gateway_port, "AETitles": [ "PSG" ] },
  "Callers": [
    { "AETitle": "DEMO_CT", "Roles": [ "modality" ] },
    { "AETitle": "CLINIC", "Roles": [ "reidentifier" ] },
    { "AETitle": "VISITOR", "Roles": [ "reader" ] }
  ],
  "MoveDestinations": [
    { "AETitle": "CLINIC", "Host": "127.0.0.1", "Port": $clinic_port },
    { "AETitle": "VISITOR", "Host": "127.0.0.1", "Port": $clinic_port }
  ],
  "Pacs": { "AETitle": "ORTHANC", "Host": "127.0.0.1", "Port": $pacs_port },
  "Spool": { "MinFreeMegabytes": 100 },
  "Segmentation": { "ModelPath": "$repository/models/mask-rcnn.onnx" }
}
JSON
start_orthanc "$demo/pacs" "$pacs_port" "$pacs_http"
"$psg" keys new --config "$demo/gateway.json" | sed 's/^/    /'
start_server gateway "$gateway_port" "$demo/logs/gateway.log" "$psg" run --config "$demo/gateway.json"
gateway=$started_pid

step "Sending the study to the gateway with DCMTK storescu"
storescu -v +sd +r -aet DEMO_CT -aec PSG 127.0.0.1 "$gateway_port" "$demo/sent" >"$demo/logs/storescu.log" 2>&1 || true
accepted=$(grep -c 'Received Store Response (Success)' "$demo/logs/storescu.log" || true)
say "$accepted of $total answered with success"
claim "the gateway accepted all $total images" test "$accepted" -eq "$total"
# A sender may encode a data set anew (DCMTK writes sequences with explicit length). What it puts on the wire is what must
# come back: receivers that keep every byte show it, for each transfer syntax that sender and gateway may agree on.
for syntax in explicit implicit; do
  accept=+xe
  if [ "$syntax" = implicit ]; then accept=+xi; fi
  start_server "a receiver that keeps the bytes on the wire ($syntax VR)" "$wire_port" "$demo/logs/storescp-$syntax.log" \
    storescp "$accept" +B -od "$demo/wire-$syntax" "$wire_port"
  storescu +sd +r -aet DEMO_CT -aec PSG 127.0.0.1 "$wire_port" "$demo/sent" >"$demo/logs/storescu-$syntax.log" 2>&1
  stop_server "$started_pid"
done

step "Waiting until the PACS has them"
arrived=0 last=-1 deadline=$((SECONDS + 60))
while [ "$arrived" -lt "$total" ] && [ $SECONDS -lt $deadline ]; do
  arrived=$(orthanc_count "$pacs_http")
  if [ "$arrived" != "$last" ]; then
    say "$arrived of $total"
    last=$arrived
    # The minute counts from the last arrival: slow is not stuck.
    deadline=$((SECONDS + 60))
  fi
  sleep 0.5
done
claim "the PACS holds $total images" test "$arrived" -eq "$total"
for id in $(curl --silent --fail "http://127.0.0.1:$pacs_http/instances" | grep -o '[0-9a-f-]\{44\}'); do
  curl --silent --fail --output "$demo/held/$id.dcm" "http://127.0.0.1:$pacs_http/instances/$id/file"
done

# held_of FILE: the PACS's image of a sent one, found by what identifies nobody: modality, series and instance number.
held_of() {
  local file
  for file in "$demo"/held/*.dcm; do
    if [ "$(number_of "$file")" = "$(number_of "$1")" ]; then echo "$file"; return; fi
  done
}
number_of() { echo "$(value_of "$1" Modality) $(value_of "$1" SeriesNumber) $(value_of "$1" InstanceNumber)"; }

step "The identity as it was sent and as the PACS holds it"
example="$demo/sent/ct-abdomen/$(printf %04d $(((slices + 1) / 2))).dcm"
example_held=$(held_of "$example")
{
  printf '%-26s | %-44s | %s\n' attribute 'as sent' 'as the PACS holds it'
  for keyword in PatientName PatientID PatientBirthDate PatientSex PatientAddress OtherPatientNames AccessionNumber InstitutionName \
    ReferringPhysicianName OperatorsName StudyDate StudyInstanceUID SOPInstanceUID PatientIdentityRemoved DeidentificationMethod; do
    # Names are in Latin-1 in this series.
    printf '%-26s | %-44s | %s\n' "$keyword" "$(value_of "$example" "$keyword" | iconv -f ISO-8859-1 -t UTF-8 | cut -c 1-44)" \
      "$(value_of "${example_held:-/dev/null}" "$keyword" | cut -c 1-60)"
  done
} | tee "$demo/identity.txt" | sed 's/^/    /'

# Text of 4 characters and more of everything that names people, places and objects; dates are digits too short to search for.
identity=(0010,0010 0010,0020 0010,0021 0010,1001 0010,1040 0010,2154 0010,2180 0010,21b0 0010,4000 0008,0050 0008,0080 0008,0081
  0008,0090 0008,1010 0008,1050 0008,1060 0008,1070 0032,1032 0018,1000 0020,000d 0020,000e 0020,0052 0008,0018 0008,1155 0038,0010
  0020,4000 0040,0007 0009,1001 0009,1002 0009,1004)
options=()
for tag in "${identity[@]}"; do options+=(+P "$tag"); done
for file in "${sent[@]}"; do dcmdump --quiet +L "${options[@]}" "$file"; done | LC_ALL=C sed -n 's/^[^[]*\[\(.*\)\] *#.*$/\1/p' \
  | LC_ALL=C sed 's/ *$//; h; s/\^.*//; p; g' | LC_ALL=C awk 'length >= 4' | LC_ALL=C sort -u >"$demo/identity-values.txt"
values=$(wc -l <"$demo/identity-values.txt")
leaks=$({ LC_ALL=C grep -a -l -F -f "$demo/identity-values.txt" "$demo"/held/*.dcm || true; } | wc -l)
no_leak() { [ "$values" -gt 50 ] && [ "$arrived" -gt 0 ] && [ "$leaks" -eq 0 ]; }
claim "none of $values identity values of the study occurs anywhere in the bytes that the PACS holds" no_leak
claim "every image says that identity was removed (0012,0062)" \
  test "$(for file in "$demo"/held/*.dcm; do value_of "$file" PatientIdentityRemoved; done | grep -c YES)" -eq "$total"

step "Pictures: cover | mask | stego | difference"
pictures=()
for series in ct-abdomen ct-chest mr-abdomen mr-head; do
  original="$demo/sent/$series/$(printf %04d $(((slices + 1) / 2))).dcm"
  held=$(held_of "$original")
  if [ -n "$held" ] && "$psg" inspect "$held" --config "$demo/gateway.json" --picture "$demo/$series.png" >"$demo/logs/inspect-$series.txt" 2>&1; then
    pictures+=("artifacts/demo/$series.png")
    sed 's/^/    /' "$demo/logs/inspect-$series.txt"
  fi
done
claim "pictures: ${pictures[*]:-none}" test ${#pictures[@]} -eq 4
claim "in these four, no pixel outside the mask is changed" test "$(cat "$demo"/logs/inspect-*.txt | grep -c 'outside the mask 0;')" -eq 4

step "An authorised caller (CLINIC) asks for the originals with C-MOVE"
start_server 'the receiver of CLINIC' "$clinic_port" "$demo/logs/storescp.log" storescp -aet CLINIC +B -od "$demo/received" "$clinic_port"
receiver=$started_pid
studies=$(for file in "${sent[@]}"; do value_of "$file" StudyInstanceUID; done | sort -u)
for study in $studies; do
  movescu -d -S -aet CLINIC -aem CLINIC -aec PSG -k QueryRetrieveLevel=STUDY -k StudyInstanceUID="$study" 127.0.0.1 "$gateway_port" \
    >>"$demo/logs/movescu.log" 2>&1 || true
done
same_data=0 same_pixels=0
for file in "${sent[@]}"; do
  name="$(value_of "$file" Modality).$(value_of "$file" SOPInstanceUID)"
  back="$demo/received/$name"
  [ -f "$back" ] || continue
  if [ "$(data_set_sha256 "$demo/wire-$(transfer_syntax_of "$back")/$name")" = "$(data_set_sha256 "$back")" ]; then same_data=$((same_data + 1)); fi
  if [ "$(pixels_sha256 "$file")" = "$(pixels_sha256 "$back")" ]; then same_pixels=$((same_pixels + 1)); fi
done
returned=$(find "$demo/received" -type f | wc -l)
say "$returned images came back; $same_data data sets and $same_pixels pixel data are identical to what was sent (SHA-256)"
claim "C-MOVE by CLINIC: $returned of $total images came back" test "$returned" -eq "$total"
claim "all $total data sets are identical to what the sender put on the wire, byte for byte (SHA-256)" test "$same_data" -eq "$total"
claim "all $total pixel data are identical to those of the files (SHA-256)" test "$same_pixels" -eq "$total"
stop_server "$receiver"

step "A caller without that right (VISITOR) asks for the same"
start_server 'the receiver of VISITOR' "$clinic_port" "$demo/logs/storescp-visitor.log" storescp -aet VISITOR +B -od "$demo/refused" "$clinic_port"
movescu -d -S -aet VISITOR -aem VISITOR -aec PSG -k QueryRetrieveLevel=STUDY -k StudyInstanceUID="$(head -n 1 <<<"$studies")" \
  127.0.0.1 "$gateway_port" >"$demo/logs/movescu-visitor.log" 2>&1 || true
status=$(sed -n 's/.*DIMSE Status *: \(0x[0-9a-fA-F]*\).*/\1/p' "$demo/logs/movescu-visitor.log" | tail -n 1)
say "answer: ${status:-none}; images received: $(find "$demo/refused" -type f | wc -l)"
claim "C-MOVE by VISITOR is refused with 0124 (answer: ${status:-none})" test "${status:-}" = 0x0124
claim "VISITOR received nothing" test -z "$(find "$demo/refused" -type f)"

step "The audit trail"
"$psg" audit list --config "$demo/gateway.json" >"$demo/audit.txt" 2>"$demo/logs/audit.txt" || true
if [ "$(wc -l <"$demo/audit.txt")" -gt 24 ]; then
  { head -n 12 "$demo/audit.txt"; echo "... (all of it: artifacts/demo/audit.txt) ..."; tail -n 10 "$demo/audit.txt"; } | cut -c 1-180 | sed 's/^/    /'
else
  cut -c 1-180 "$demo/audit.txt" | sed 's/^/    /'
fi
"$psg" audit list --json --config "$demo/gateway.json" >"$demo/audit.json" 2>>"$demo/logs/audit.txt" || true
claim "the audit trail has a record for every image and every request (artifacts/demo/audit.txt)" \
  test "$(wc -l <"$demo/audit.txt")" -ge $((total * 2))
no_identity_in() { ! LC_ALL=C grep -a -q -F -f "$demo/identity-values.txt" "$@"; }
claim "no identity value occurs in the gateway's log or in its audit listing" no_identity_in "$demo/logs/gateway.log" "$demo/audit.txt"

step "Stopping everything"
started=("${server_pids[@]}")
stop_server "$gateway"
claim "the gateway ended in order when it was told to (exit code $stopped_code)" test "$stopped_code" -eq 0
stop_servers
none_left() { local pid; for pid in "${started[@]}"; do if kill -0 "$pid" 2>/dev/null; then return 1; fi; done; }
claim "nothing that was started is still running" none_left

step "Summary"
printf '    %s\n' "${claims[@]}"
if [ "$broken" -ne 0 ]; then
  fail "not every claim holds; logs are in artifacts/demo/logs"
fi
say "everything it made is in artifacts/demo/"
