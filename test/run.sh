#!/usr/bin/env bash
# Runs the stages of the tests, each for the packages that have tests of that stage. At the end it prints one line per
# stage.
#
#   run.sh [unit|net|guest|envtest|e2e|bench]   (all but bench, if none is named)
#
# With all of them, e2e goes on beside the others: most of its time it waits, for kubelets, leases and deadlines. What
# it prints is shown last, as a whole.
# shellcheck disable=SC2317 # the stages are called by their names
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

# One build for all stages, the image and the checks: without cgo, and the same in whatever folder a clone is. Only the
# race detector needs another.
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -trimpath"

# "make verify" vets all of it: -vet=off keeps the same from being done again in each stage.
gotestsum() {
	go tool -modfile=build/go.mod gotestsum --format "${FORMAT:-pkgname-and-test-fails}" --format-icons text "$@"
}

# tagged TAG prints the folders that have tests with this build tag.
tagged() {
	git grep --untracked -lE "^//go:build ([a-z0-9]+ && )*$1( |\$)" -- '*_test.go' |
		xargs -r dirname | sort -u | sed 's#^#./#'
}

# go test runs the seeds of the fuzz targets too. What counts over thousands of connections would take six times as long
# with the race detector, and shows it nothing new: there it is left out (-short).
unit() {
	go -C build test -vet=off -timeout 20m ./...
	gotestsum -- -vet=off -timeout 10m ./...
	CGO_ENABLED=1 gotestsum -- -vet=off -race -short -timeout 10m ./...
}

# Every test has networks of its own, and most of its time it waits for a peer that stays silent: three packages at
# once. Compiling would delay their packets, so it comes first.
net() {
	((EUID == 0)) || { echo "test: network namespaces need root" >&2 && return 1; }
	mapfile -t packages < <(tagged net)
	go test -vet=off -tags net -count 1 -run '^$' "${packages[@]}" >/dev/null
	gotestsum -- -vet=off -tags net -count 1 -p 3 -parallel 4 -timeout 30m "${packages[@]}"
}

# A peer's scenarios all run at once: they mostly wait.
guest() {
	gotestsum -- -vet=off -tags guest -count 1 -parallel 100 -timeout 60m ./test/guest
}

envtest() {
	KUBEBUILDER_ASSETS=$(test/cluster/build.sh)
	export KUBEBUILDER_ASSETS
	mapfile -t packages < <(tagged envtest)
	gotestsum -- -vet=off -tags envtest -count 1 -timeout 15m "${packages[@]}"
}

# Tests that disturb nobody run six at a time, after all others: see test/e2e/main_test.go.
e2e() {
	mapfile -t packages < <(tagged e2e)
	FORMAT=testname gotestsum -- -vet=off -tags e2e -count 1 -timeout 55m -p 1 -parallel 6 "${packages[@]}"
}

bench() {
	go test -v -tags e2e,bench -count 1 -timeout 15m -run TestBench ./test/e2e
}

# timed STAGE FOLDER [COMMAND...] runs a stage and shows what it prints. The line for the end goes into FOLDER: how long
# it took, and how much processor time. The nodes of e2e are no children of it, so theirs is not counted.
timed() {
	local start=$SECONDS verdict=ok TIMEFORMAT='%U %S'
	printf '\n=== %s ===\n' "$1"
	{ time "${@:3}" test/run.sh "$1" 2>&1 | tee "$2/$1.log"; } 2>"$2/$1.cpu" || verdict=FAILED
	printf '%-8s %-7s %4ds, %4.0f of processor  %s\n' "$1" "$verdict" $((SECONDS - start)) \
		"$(awk '{print $1 + $2}' "$2/$1.cpu")" "$(grep '^DONE' "$2/$1.log" | paste -s -d ,)" >"$2/$1.line"
	[[ $verdict == ok ]]
}

# failed FOLDER names the tests that failed, each with the first lines of what it said.
failed() {
	awk '/^=== / { left = 0 }
		/^=== FAIL: / { print; left = 3; next }
		left && /_test\.go:[0-9]+: / { print; left-- }' "$1"/*.log
}

if (($# == 1)); then
	"$1"
	exit
fi
logs=$(mktemp -d)
status=0 beside=""
trap '[[ -z $beside ]] || kill -- "-$beside" 2>/dev/null; rm -rf "$logs"' EXIT
printf 'The stage e2e goes on beside the others. What it prints comes last.\n'
set -m # a process group of its own, which can be ended as a whole
timed e2e "$logs" >"$logs/e2e.shown" &
beside=$!
set +m
for stage in unit envtest net guest; do
	# The cluster goes first: it needs little, but soon. So do API servers that start, and packets whose time is measured.
	yields=5
	[[ $stage != unit ]] || yields=15
	timed "$stage" "$logs" nice -n "$yields" || status=1
done
tail --quiet --lines=+1 --follow --pid="$beside" "$logs/e2e.shown"
wait "$beside" || status=1
beside=""
printf '\n=== tests ===\n'
cat "$logs"/{unit,envtest,net,guest,e2e}.line
failed "$logs"
exit "$status"
