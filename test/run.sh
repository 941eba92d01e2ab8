#!/usr/bin/env bash
# Runs stages of the tests, each with the packages that have some, and closes with one line per stage.
#
#   run.sh [unit|net|guest|envtest|e2e|bench]   (all but bench, if none is named)
# shellcheck disable=SC2317 # the stages are called by their names
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

gotestsum() {
	go tool -modfile=build/go.mod gotestsum --format "${FORMAT:-pkgname-and-test-fails}" --format-icons text "$@"
}

# tagged TAG prints the folders with files of that build tag: those stages need not repeat all the others.
tagged() {
	git grep --untracked -lE "^//go:build ([a-z0-9]+ && )*$1( |\$)" -- '*_test.go' | xargs -r dirname | sort -u | sed 's#^#./#'
}

# Seeds of the fuzz targets are among the unit tests: go test runs them all.
unit() {
	go -C build test ./...
	gotestsum -- -race -timeout 10m ./...
}

# One package at a time: they share the machine's two or four cores, and packets have times.
net() {
	((EUID == 0)) || { echo "test: network namespaces need root" >&2 && return 1; }
	mapfile -t packages < <(tagged net)
	gotestsum -- -tags net -count 1 -p 1 -timeout 30m "${packages[@]}"
}

# Each guest is asked everything at once: the questions mostly wait.
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
	summary+=("$(printf '%-8s %-7s %4ds  %s' "$stage" "$verdict" $((SECONDS - start)) "$(grep '^DONE' "$log" | tail -n 1)")")
done
printf '\n=== tests ===\n'
printf '%s\n' "${summary[@]}"
exit "$status"
