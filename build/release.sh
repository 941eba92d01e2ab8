#!/usr/bin/env bash
# Makes a release: dist/tcpprobe-VERSION/ with the image (an OCI archive for amd64 and arm64), the command, the chart,
# the manifests, what the programs are made of (SPDX), and SHA256SUMS. The same commit gives the same bytes in whatever
# folder it is built.
#
#   VERSION  default: the tag of this commit without its v, else 0.0.0-g and the commit
#   SIGN     a command that signs: it is called with the path of SHA256SUMS, such as
#            SIGN="gpg --detach-sign --armor" or SIGN="cosign sign-blob --yes --bundle SHA256SUMS.bundle"
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 GOFLAGS=-trimpath TZ=UTC LC_ALL=C
umask 022

named() {
	if tag=$(git describe --exact-match --tags --dirty --match 'v[0-9]*' 2>/dev/null); then
		echo "${tag#v}"
	else
		echo "0.0.0-$(git describe --always --dirty --abbrev=12 --exclude '*' | sed 's/^/g/')"
	fi
}

VERSION=${VERSION:-$(named)}
export VERSION
seconds=$(git log -1 --format=%ct)
folder=dist/tcpprobe-$VERSION
name=$folder/tcpprobe-$VERSION
rm -rf "$folder" bin/linux-*
mkdir -p "$folder"

IMAGE=localhost/tcpprobe:$VERSION OUTPUT=$name-image.tar PLATFORMS="linux/amd64 linux/arm64" build/image.sh
for architecture in amd64 arm64; do
	echo "Building the command for linux/$architecture." >&2
	GOOS=linux GOARCH=$architecture go build -buildvcs=false -ldflags "-s -w -X main.released=$VERSION" \
		-o "bin/linux-$architecture/tcpprobe" ./cmd/tcpprobe
	install --mode=755 "bin/linux-$architecture/tcpprobe" "$name-linux-$architecture"
done
go tool -modfile=build/go.mod kustomize build config/default >"$name.yaml"
go tool -modfile=build/go.mod kustomize build config/monitoring >"$name-monitoring.yaml"
go -C build run ./release -version "$VERSION" -time "$seconds" -chart "$PWD/charts/tcpprobe" \
	-programs "$PWD/bin" -output "$PWD/$folder"
if [[ -n ${SIGN:-} ]]; then
	(cd "$folder" && $SIGN SHA256SUMS)
else
	echo "Not signed: set SIGN to a command that signs SHA256SUMS." >&2
fi
echo "Wrote $folder." >&2
