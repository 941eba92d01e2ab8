#!/usr/bin/env bash
# Builds Kubernetes and etcd from the Go module proxy into the cache and prints the folder with the programs.
#
# The folder's name is a hash of everything that goes in: a finished build is found again, and another version gets
# another folder. The build is done under a lock, in a folder that is renamed at the end. So two scripts at once build
# only once, and an interrupted build is never used.
source "$(dirname "$0")/lib/settings.sh"
source "$here/lib/progress.sh"

programs=(etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl)
source_folder=$here/kubernetes

linker_flags() {
	local version minor
	version=$(go -C "$source_folder" list -m -f '{{.Version}}' k8s.io/kubernetes)
	minor=${version#v1.}
	printf -- '-s -w -X k8s.io/client-go/pkg/version.gitVersion=%s' "$version"
	printf -- ' -X k8s.io/component-base/version.%s' \
		"gitVersion=$version" gitMajor=1 "gitMinor=${minor%%.*}" gitTreeState=clean
}

content_hash() {
	{
		cat "$source_folder"/{go.mod,go.sum,main.go}
		linker_flags
		go env GOVERSION GOARCH
	} | sha256sum | cut -c1-16
}

build_into() {
	export CGO_ENABLED=0
	say "Building Kubernetes: 6 to 15 minutes on two cores the first time, never again until its version changes."
	go -C "$source_folder" list -deps . 2>&1 >"$1/packages" |
		count_lines "modules fetched" "$(grep -cE '^\s+\S+ v[0-9]' "$source_folder/go.mod")"
	go -C "$source_folder" build -v -trimpath -ldflags "$(linker_flags)" -o "$1/kubernetes" . 2>&1 |
		count_lines "packages compiled, then the linker" "$(wc -l <"$1/packages")"
	rm "$1/packages"
	local program
	for program in "${programs[@]}"; do ln -s kubernetes "$1/$program"; done
}

folder=$cache/kubernetes-$(content_hash)
if [[ ! -d $folder ]]; then
	mkdir -p "$cache"
	exec {lock}<"$cache" # the folder itself, so that no lock file stays
	flock --nonblock "$lock" || { say "Waiting for another build of the same..." && flock "$lock"; }
	if [[ ! -d $folder ]]; then
		rm -rf "$folder.partial" # of an interrupted build: we hold its lock
		mkdir "$folder.partial"
		build_into "$folder.partial"
		mv "$folder.partial" "$folder"
		say "Built into $folder."
	fi
fi
printf '%s\n' "$folder"
