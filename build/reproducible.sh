#!/usr/bin/env bash
# Shows that a release can be made again: makes it twice from this commit, in two clones in folders of different depth,
# the second time without Go's cache of builds, in another time zone and with another umask, and compares all bytes.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
first=$work/a second=$work/another/folder/further/down
git clone --quiet --no-hardlinks . "$first"
git clone --quiet --no-hardlinks . "$second"

"$first/build/release.sh"
(umask 077 && TZ=Asia/Tokyo GOCACHE=$work/cache "$second/build/release.sh")
echo "Comparing:" >&2
diff --recursive "$first/dist" "$second/dist"
(cd "$first"/dist/tcpprobe-* && sha256sum --check SHA256SUMS)
echo "Both are the same."
