# shellcheck shell=bash
# Servers that live no longer than the script that starts them, on ports that were free a moment ago.
# Sourced after common.sh; the sourcing script sets `trap stop_servers EXIT`.

server_pids=()

# free_ports N: prints N different TCP ports of 127.0.0.1 on which nobody listens, outside the range that the kernel
# hands to outgoing connections (so that none of those takes one before we do).
free_ports() {
  local wanted=$1 port found=()
  while [ ${#found[@]} -lt "$wanted" ]; do
    port=$((12000 + (RANDOM * 32768 + RANDOM) % 18000))
    if [[ " ${found[*]:-} " != *" $port "* ]] && ! answers "$port"; then found+=("$port"); fi
  done
  echo "${found[@]}"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# start_server NAME PORT LOG COMMAND...: starts it in the background and waits, 60 s at most, until the port answers.
start_server() {
  local name=$1 port=$2 log=$3 pid deadline
  shift 3
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  server_pids+=("$pid")
  started_pid=$pid
  deadline=$((SECONDS + 60))
  until answers "$port"; do
    kill -0 "$pid" 2>/dev/null || { tail -n 20 "$log" >&2; fail "$name ended at once; its last words are above ($log)"; }
    [ $SECONDS -lt $deadline ] || { tail -n 20 "$log" >&2; fail "$name did not listen on port $port within 60 s ($log)"; }
    sleep 0.1
  done
  say "$name listens on port $port (process $pid)"
}

# stop_server PID: asks it to end, waits 15 s at most, then ends it; its exit code is in stopped_code.
stop_server() {
  local pid=$1 deadline=$((SECONDS + 15))
  stopped_code=0
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do
    if [ $SECONDS -ge $deadline ]; then
      kill -KILL "$pid" 2>/dev/null || true
      break
    fi
    sleep 0.1
  done
  wait "$pid" 2>/dev/null || stopped_code=$?
}

stop_servers() {
  local pid
  for pid in "${server_pids[@]:-}"; do
    if [ -n "$pid" ]; then stop_server "$pid"; fi
  done
  server_pids=()
}

# start_orthanc FOLDER DICOM_PORT HTTP_PORT [AET]: a PACS with its data in FOLDER, open to every caller on this machine.
start_orthanc() {
  local folder=$1 dicom=$2 http=$3 aet=${4:-ORTHANC}
  mkdir -p "$folder/storage"
  cat >"$folder/orthanc.json" <<JSON
{
  "Name": "$aet", "DicomAet": "$aet", "DicomPort": $dicom, "HttpPort": $http, "RemoteAccessAllowed": false,
  "AuthenticationEnabled": false, "StorageDirectory": "$folder/storage", "IndexDirectory": "$folder/storage", "Plugins": [],
  "DicomCheckCalledAet": false, "DicomAlwaysAllowEcho": true, "DicomAlwaysAllowStore": true, "DicomAlwaysAllowFind": true,
  "DicomAlwaysAllowGet": true, "DicomAlwaysAllowMove": true, "DicomModalities": {}, "ConcurrentJobs": 2, "StableAge": 2
}
JSON
  start_server Orthanc "$dicom" "$folder/orthanc.log" "$(command -v Orthanc || echo /usr/sbin/Orthanc)" "$folder/orthanc.json"
}

# orthanc_count HTTP_PORT: instances it holds.
orthanc_count() { curl --silent --fail "http://127.0.0.1:$1/statistics" | sed -n 's/.*"CountInstances" : \([0-9]*\).*/\1/p'; }
