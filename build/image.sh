#!/usr/bin/env bash
# Builds the product's image without Docker or a registry: dist/tcpprobe-image.tar, an OCI archive for "ctr images
# import", "podman load", "kind load image-archive", "skopeo copy oci-archive:…". PLATFORMS names several where one is
# not enough, OUTPUT another file, IMAGE another name and VERSION another version.
set -euo pipefail
cd "$(dirname "$0")/.."

platforms=${PLATFORMS:-linux/$(go env GOARCH)}
image=${IMAGE:-localhost/tcpprobe:dev}
output=${OUTPUT:-dist/tcpprobe-image.tar}
# An unpacked source archive has no version.
version=${VERSION:-$(git describe --always --dirty --tags 2>/dev/null || echo unknown)}

arguments=()
for platform in $platforms; do
	folder=$PWD/bin/${platform//\//-}
	echo "Building manager and prober $version for $platform." >&2
	CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/} go build -trimpath -buildvcs=false \
		-ldflags "-s -w -X main.version=$version" -o "$folder/" ./cmd/manager ./cmd/prober
	arguments+=("$platform=$folder/manager,$folder/prober")
done
mkdir -p "$(dirname "$output")"
go -C build run ./image -name "$image" -output "$(realpath "$output")" "${arguments[@]}"
echo "Wrote $output, which holds $image." >&2
