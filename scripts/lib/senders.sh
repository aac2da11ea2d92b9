# shellcheck shell=bash
# Many images, sent by several senders at a time, and an Orthanc that forwards. Sourced after servers.sh and measure.sh.

# make_images FOLDER ct|mr COUNT: different objects, copies of a few phantoms under UIDs of their own.
make_images() {
  "$psg" phantom --out "$1.phantoms" --slices 24 >/dev/null
  /usr/bin/python3 "$repository/scripts/lib/multiply.py" "$1" "$3" "$1.phantoms/$2"-*/*.dcm
  rm -rf "$1.phantoms"
}

# split_images FOLDER PREFIX PARTS: PREFIX.0, PREFIX.1, ... with an even share each, by links: nothing is on the disk twice.
split_images() {
  local part number=0 file
  for part in $(seq 0 $(($3 - 1))); do mkdir -p "$2.$part"; done
  for file in "$1"/*.dcm; do
    ln "$file" "$2.$((number % $3))/"
    number=$((number + 1))
  done
}

# send_parts PREFIX PARTS PORT CALLED LOG: one storescu for each part, all at a time; fails unless all were answered success.
send_parts() {
  local part pid pids=()
  for part in $(seq 0 $(($2 - 1))); do
    [ -n "$(ls "$1.$part")" ] || continue
    storescu +sd -aet MEASURE -aec "$4" 127.0.0.1 "$3" "$1.$part" >"$5-$part.log" 2>&1 &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || fail "a sender was not answered success for everything; see $5-*.log"; done
}

# wait_for_instances HTTP_PORT COUNT SECONDS: until an Orthanc holds so many.
wait_for_instances() {
  local limit=$((SECONDS + $3))
  until [ "$(orthanc_count "$1")" -ge "$2" ]; do
    [ $SECONDS -lt $limit ] || fail "only $(orthanc_count "$1") of $2 images arrived within $3 s"
    sleep 0.05
  done
}

# start_forwarding_orthanc FOLDER DICOM_PORT HTTP_PORT PACS_PORT: stores, and sends each instance on to the PACS.
start_forwarding_orthanc() {
  mkdir -p "$1/storage"
  printf "function OnStoredInstance(id, tags, metadata)\n  SendToModality(id, 'pacs')\nend\n" >"$1/forward.lua"
  cat >"$1/orthanc.json" <<JSON
{
  "Name": "FRONT", "DicomAet": "FRONT", "DicomPort": $2, "HttpPort": $3, "RemoteAccessAllowed": false,
  "AuthenticationEnabled": false, "StorageDirectory": "$1/storage", "IndexDirectory": "$1/storage", "Plugins": [],
  "DicomCheckCalledAet": false, "DicomAlwaysAllowEcho": true, "DicomAlwaysAllowStore": true,
  "DicomModalities": { "pacs": [ "ORTHANC", "127.0.0.1", $4 ] }, "LuaScripts": [ "$1/forward.lua" ], "ConcurrentJobs": 2, "StableAge": 2
}
JSON
  start_server 'an Orthanc that forwards' "$2" "$1/orthanc.log" "$(command -v Orthanc || echo /usr/sbin/Orthanc)" "$1/orthanc.json"
}
