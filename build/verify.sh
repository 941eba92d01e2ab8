#!/usr/bin/env bash
# Checks everything that is not a test: what is generated is what would be generated, format, vet, linters, scripts, manifests.
# Every check runs; the exit code is 1 if one of them fails. "verify.sh CHECK" runs one.
# shellcheck disable=SC2317 # the checks are called by their names
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

# The same build as the tests': see test/run.sh.
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -trimpath"

tags=net,guest,envtest,e2e
files() { git ls-files --cached --others --exclude-standard "$@"; }
fingerprint() { files | while IFS= read -r file; do [[ ! -f $file ]] || sha256sum "$file"; done; }
tool() { go tool -modfile=build/go.mod "$@"; }

generated() {
	local before after
	before=$(fingerprint)
	go generate ./...
	after=$(fingerprint)
	diff <(echo "$before") <(echo "$after") | sed -n 's/^> [0-9a-f]*  /generated anew, differs: /p'
	[[ $before == "$after" ]]
}

formatted() {
	local unformatted
	unformatted=$(files '*.go' | xargs gofmt -l)
	[[ -z $unformatted ]] || { echo "run gofmt -w on: $unformatted" && return 1; }
}

vetted() {
	go vet ./...
	go vet -tags "$tags" ./...
	go -C build vet ./...
}

linted() {
	tool staticcheck -tags "$tags" ./...
	cd build && go tool staticcheck ./...
}

bounded() {
	GOFLAGS="${GOFLAGS:-} -tags=$tags" tool depguard ./...
}

tidy() {
	local module
	for module in . build; do
		go -C "$module" mod tidy -diff >/dev/null 2>&1 || { echo "run: go -C $module mod tidy" && return 1; }
	done
}

# What a script sources is checked with it.
scripts() {
	files '*.sh' .ci/run | while IFS= read -r file; do [[ ! -x $file ]] || echo "$file"; done | xargs shellcheck --check-sourced
}

manifests() {
	local folder
	for folder in config/default config/monitoring config/samples; do tool kustomize build "$folder" >/dev/null; done
	tool helm lint --quiet --strict charts/tcpprobe
	tool helm template tcpprobe charts/tcpprobe --namespace tcpprobe-system >/dev/null
}

# said CHECK runs one, and tells what came of it.
said() {
	local start=$SECONDS output
	if output=$(build/verify.sh "$1" 2>&1); then
		printf 'verify: %-10s ok      %3ds\n' "$1" $((SECONDS - start))
	else
		printf 'verify: %-10s FAILED  %3ds\n%s\n' "$1" $((SECONDS - start)) "$output"
		return 1
	fi
}

if (($# == 1)); then
	"$1"
	exit
fi
status=0
said generated || status=1 # it writes what the others read
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
checks=(formatted vetted linted bounded tidy scripts manifests) running=()
for check in "${checks[@]}"; do
	said "$check" >"$results/$check" &
	running+=($!)
done
for i in "${!checks[@]}"; do
	wait "${running[i]}" || status=1
	cat "$results/${checks[i]}"
done
exit "$status"
