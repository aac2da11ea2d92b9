#!/usr/bin/env bash
# Puts the native ONNX Runtime library into native/<rid>/ at the repository root (git-ignored, 25 to 46 MB).
# Source: npm package onnxruntime-node 1.30.0 (MIT licence), by name through the ordinary npm client; no install script
# of the package runs. Tarball and library are pinned by SHA-256: anything else is refused.
#
# usage: scripts/fetch-onnxruntime.sh [--rid linux-x64|linux-arm64|win-x64|win-arm64|osx-arm64] [--tarball FILE]
#   --rid      platform to fetch for; default: this machine's
#   --tarball  take the package from this file instead of npm (offline machines); same checksum
# exit: 0 library is in place (also when it already was), 1 could not, 2 wrong usage
set -euo pipefail

version=1.30.0
tarball_sha256=6e3390d6b783e7be946fad629292799da28d0b42f84856e50d2c1b0383291e75
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf 'fetch-onnxruntime: %s\n' "$*"; }
fail() { printf 'fetch-onnxruntime: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '6,8p' "${BASH_SOURCE[0]}" | sed 's/^# //' >&2; exit 2; }
sum() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1; }

this_rid() {
  case "$(uname -s)/$(uname -m)" in
    Linux/x86_64) echo linux-x64 ;;
    Linux/aarch64) echo linux-arm64 ;;
    Darwin/arm64) echo osx-arm64 ;;
    MINGW*/x86_64 | MSYS*/x86_64) echo win-x64 ;;
    *) fail "no library is pinned for $(uname -s)/$(uname -m); name one of the known platforms with --rid" ;;
  esac
}

rid=''
tarball=''
while [ $# -gt 0 ]; do
  case "$1" in
    --rid) [ $# -ge 2 ] || usage; rid=$2; shift 2 ;;
    --tarball) [ $# -ge 2 ] || usage; tarball=$2; shift 2 ;;
    *) usage ;;
  esac
done
[ -n "$rid" ] || rid=$(this_rid)

case "$rid" in
  linux-x64)   inside=linux/x64/libonnxruntime.so.1          name=libonnxruntime.so.1     sha256=ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23 ;;
  linux-arm64) inside=linux/arm64/libonnxruntime.so.1        name=libonnxruntime.so.1     sha256=1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76 ;;
  win-x64)     inside=win32/x64/onnxruntime.dll              name=onnxruntime.dll         sha256=508c362f5673483dd3a086379c392795b2e42d10d5e6f3f90ebd7ac21c97af67 ;;
  win-arm64)   inside=win32/arm64/onnxruntime.dll            name=onnxruntime.dll         sha256=6c3a2abf5c6aca11c48a0d338a91af309f2266f25ce2e4084e6a87bbcb0fbfd0 ;;
  osx-arm64)   inside=darwin/arm64/libonnxruntime.1.dylib    name=libonnxruntime.1.dylib  sha256=685d2be5dba1309c89d3a5324b7fd06a5c42f1a61bfea32d14c4cc28d072121d ;;
  *) usage ;;
esac

target=$root/native/$rid/$name
if [ -f "$target" ] && [ "$(sum "$target")" = "$sha256" ]; then
  say "native/$rid/$name is already there (ONNX Runtime $version)"
  exit 0
fi

# Below native/ so that the last step is a rename on one file system: the library is whole or it is not there.
mkdir -p "$root/native/$rid"
work=$(mktemp -d "$root/native/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

if [ -z "$tarball" ]; then
  command -v npm >/dev/null || fail "npm is missing. Install it with: apt-get install --yes npm (or, with the package already at hand, pass --tarball onnxruntime-node-$version.tgz)"
  say "fetching onnxruntime-node@$version from npm (about 90 MB)"
  (cd "$work" && npm pack --ignore-scripts --silent "onnxruntime-node@$version" >pack.out 2>pack.err) \
    || { cat "$work/pack.err" >&2; fail "npm could not fetch onnxruntime-node@$version"; }
  tarball=$work/onnxruntime-node-$version.tgz
fi
[ -f "$tarball" ] || fail "$tarball does not exist"

found=$(sum "$tarball")
[ "$found" = "$tarball_sha256" ] || fail "the package's SHA-256 is $found, pinned is $tarball_sha256: not used"
say "package verified, extracting $inside"
tar -xzf "$tarball" -C "$work" "package/bin/napi-v6/$inside"
found=$(sum "$work/package/bin/napi-v6/$inside")
[ "$found" = "$sha256" ] || fail "the library's SHA-256 is $found, pinned is $sha256: not used"

cat >"$work/notice" <<'NOTICE'
ONNX Runtime, https://github.com/microsoft/onnxruntime

MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
NOTICE

chmod 755 "$work/package/bin/napi-v6/$inside"
mv -f "$work/notice" "$root/native/$rid/LICENSE.onnxruntime"
mv -f "$work/package/bin/napi-v6/$inside" "$target"
say "native/$rid/$name is in place (ONNX Runtime $version, SHA-256 $sha256)"
