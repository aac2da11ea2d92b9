# shellcheck shell=bash
# Numbers: rates, medians, and the machine they were taken on. Sourced after common.sh.

# publish: the gateway as it is installed, compiled for this system; $psg is that one from then on.
publish() {
  step "Publishing the gateway ($configuration, compiled for this system)"
  rm -rf "$repository/artifacts/publish"
  (cd "$repository" && dotnet publish src/PacsStegoGateway/PacsStegoGateway.csproj --configuration "$configuration" --use-current-runtime \
    --self-contained false --output artifacts/publish --nologo --verbosity quiet -warnaserror -p:UseSharedCompilation=false) || fail "publishing failed"
  cp "$repository"/native/*/libonnxruntime.so.1 "$repository/artifacts/publish/" 2>/dev/null || true
  psg="$repository/artifacts/publish/psg"
}

now() { date +%s%N; }

# rate COUNT NANOSECONDS: a second, one decimal.
rate() { awk -v n="$1" -v t="$2" 'BEGIN { printf "%.1f\n", n * 1e9 / t }'; }

# median, range: of the numbers on standard input, one a line.
median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
range() { sort -n | awk 'NR == 1 { low = $1 } { high = $1 } END { printf "%s to %s", low, high }'; }

# machine: processor, cores, date and the versions of the peers, for the line above a table.
machine() {
  printf '%s, %s cores; %s; DCMTK %s; Orthanc %s; .NET %s' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(date -u +%Y-%m-%d)" \
    "$(storescu --version | sed -n 's/.*storescu v\([0-9.]*\).*/\1/p' | head -n 1)" \
    "$({ command -v Orthanc >/dev/null && Orthanc --version || /usr/sbin/Orthanc --version; } | sed -n '1s/^Orthanc //p')" "$(dotnet --version)"
}

# start_gateway FOLDER PORT PACS_PORT: an empty gateway PSG with its data in FOLDER, for the modality MEASURE and the PACS ORTHANC.
start_gateway() {
  local folder=$1 port=$2 pacs=$3
  cat >"$folder/gateway.json" <<JSON
{
  "DataFolder": "$folder/data",
  "Listen": { "Address": "127.0.0.1", "Port": $port, "AETitles": [ "PSG" ] },
  "Callers": [ { "AETitle": "MEASURE", "Roles": [ "modality" ] } ],
  "Pacs": { "AETitle": "ORTHANC", "Host": "127.0.0.1", "Port": $pacs },
  "Spool": { "MinFreeMegabytes": 100 },
  "Segmentation": { "ModelPath": "$repository/models/mask-rcnn.onnx" }
}
JSON
  "$psg" keys new --config "$folder/gateway.json" >/dev/null
  start_server gateway "$port" "$folder/gateway.log" "$psg" run --config "$folder/gateway.json"
}
