# shellcheck shell=bash
# Questions about DICOM files, answered by DCMTK and by counting bytes: never by the product that is being judged.
# Sourced after common.sh.

# The senders of DCMTK wait up to 40 ms an image for an acknowledgement without this.
export TCP_NODELAY=1

# data_set_sha256 FILE: of all bytes after the file meta information, whose length stands at byte 140 (PS3.10 7.1).
data_set_sha256() {
  local group
  group=$(od -An -tu4 -j140 -N4 "$1" | tr -d ' ')
  tail -c "+$((144 + group + 1))" "$1" | sha256sum | cut -d ' ' -f 1
}

# pixels_sha256 FILE: of the value of (7FE0,0010), taken out by dcmdump.
pixels_sha256() {
  local folder
  folder=$(mktemp -d)
  dcmdump --quiet +W "$folder" "$1" >/dev/null
  cat "$folder"/*.raw | sha256sum | cut -d ' ' -f 1
  rm -rf "$folder"
}

# value_of FILE KEYWORD: the first occurrence's text as it is encoded there, or nothing.
value_of() { dcmdump --quiet +P "$2" "$1" 2>/dev/null | LC_ALL=C sed -n '1s/^[^[]*\[\(.*\)\].*$/\1/p'; }

# transfer_syntax_of FILE: explicit, implicit, or DCMTK's name of another.
transfer_syntax_of() {
  dcmdump --quiet +P 0002,0010 "$1" | sed -n 's/^[^=]*=\([A-Za-z0-9]*\).*$/\1/p' | sed 's/LittleEndianExplicit/explicit/; s/LittleEndianImplicit/implicit/'
}
