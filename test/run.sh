#!/usr/bin/env bash
# Runs the stages of the tests, each for the packages that have tests of that stage. At the end it prints one line per
# stage.
#
#   run.sh [unit|net|guest|envtest|e2e|bench]   (all but bench, if none is named)
# shellcheck disable=SC2317 # the stages are called by their names
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

gotestsum() {
	go tool -modfile=build/go.mod gotestsum --format "${FORMAT:-pkgname-and-test-fails}" --format-icons text "$@"
}

# tagged TAG prints the folders that have tests with this build tag.
tagged() {
	git grep --untracked -lE "^//go:build ([a-z0-9]+ && )*$1( |\$)" -- '*_test.go' |
		xargs -r dirname | sort -u | sed 's#^#./#'
}

# go test runs the seeds of the fuzz targets too.
unit() {
	go -C build test ./...
	gotestsum -- -race -timeout 10m ./...
}

# One package at a time: the tests measure when packets come, and other tests on the same cores would delay them.
net() {
	((EUID == 0)) || { echo "test: network namespaces need root" >&2 && return 1; }
	mapfile -t packages < <(tagged net)
	gotestsum -- -tags net -count 1 -p 1 -timeout 30m "${packages[@]}"
}

# Each guest runs all tests at once: they mostly wait.
guest() {
	gotestsum -- -tags guest -count 1 -parallel 100 -timeout 10m ./test/guest
}

envtest() {
	KUBEBUILDER_ASSETS=$(test/cluster/build.sh)
	export KUBEBUILDER_ASSETS
	mapfile -t packages < <(tagged envtest)
	gotestsum -- -tags envtest -count 1 -timeout 15m "${packages[@]}"
}

e2e() {
	mapfile -t packages < <(tagged e2e)
	FORMAT=testname gotestsum -- -tags e2e -count 1 -timeout 40m -p 1 "${packages[@]}"
}

bench() {
	go test -v -tags e2e,bench -count 1 -timeout 15m -run TestBench ./test/e2e
}

if (($# == 1)); then
	"$1"
	exit
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
summary=() status=0
for stage in unit net guest envtest e2e; do
	printf '\n=== %s ===\n' "$stage"
	start=$SECONDS verdict=ok
	test/run.sh "$stage" 2>&1 | tee "$log" || verdict=FAILED status=1
	count=$(grep '^DONE' "$log" | tail -n 1) || true
	summary+=("$(printf '%-8s %-7s %4ds  %s' "$stage" "$verdict" $((SECONDS - start)) "$count")")
done
printf '\n=== tests ===\n'
printf '%s\n' "${summary[@]}"
exit "$status"
