#!/usr/bin/env bash
# Checks everything that is not a test: what is generated is what would be generated, format, vet, linters, scripts,
# manifests, the length of lines.
# Every check runs; the exit code is 1 if one of them fails. "verify.sh CHECK" runs one.
# shellcheck disable=SC2317 # the checks are called by their names
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

# The same build as the tests': see test/run.sh.
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -trimpath"

tags=net,guest,envtest,e2e,bench # those of .golangci.yaml
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
	go -C test/gvisor vet ./...
}

# What is linted, and how, is in .golangci.yaml; the tags are there too.
linted() {
	go tool -modfile=build/golangci/go.mod golangci-lint run ./...
	(cd build && go tool -modfile=golangci/go.mod golangci-lint run ./...)
	cd test/gvisor && go tool -modfile=../../build/golangci/go.mod golangci-lint run ./...
}

bounded() {
	GOFLAGS="${GOFLAGS:-} -tags=$tags" tool depguard ./...
}

tidy() {
	local module
	for module in $(files '*go.mod' | xargs dirname); do
		go -C "$module" mod tidy -diff >/dev/null 2>&1 || { echo "run: go -C $module mod tidy" && return 1; }
	done
}

# What a script sources is checked with it.
scripts() {
	files '*.sh' .ci/run | while IFS= read -r file; do [[ ! -x $file ]] || echo "$file"; done |
		xargs shellcheck --check-sourced
}

manifests() {
	local folder
	for folder in config/default config/monitoring config/samples; do tool kustomize build "$folder" >/dev/null; done
	tool helm lint --quiet --strict charts/tcpprobe
	tool helm template tcpprobe charts/tcpprobe --namespace tcpprobe-system \
		--set image.repository=localhost/tcpprobe >/dev/null
}

# Lines of at most 120 characters, a tab being one. Longer may be what is generated, and markers and go:generate
# comments, which are one line by their grammar.
wrapped() {
	local long
	long=$(files '*.go' '*.c' '*.sh' '*.md' Makefile .ci/run '.github/*' |
		while IFS= read -r file; do [[ ! -f $file ]] || echo "$file"; done |
		xargs grep --files-without-match '^// Code generated .* DO NOT EDIT' |
		LC_ALL=C.UTF-8 xargs grep --line-number --extended-regexp '^.{121,}$' |
		grep --invert-match --extended-regexp ':[[:space:]]*(// \+kubebuilder:|//go:generate )' | cut -d: -f1,2) || true
	[[ -z $long ]] || { printf 'longer than 120 characters:\n%s\n' "$long" && return 1; }
}

# report CHECK runs one check and prints its result.
report() {
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
report generated || status=1 # it writes what the others read
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
checks=(formatted vetted linted bounded tidy scripts manifests wrapped) running=()
for check in "${checks[@]}"; do
	report "$check" >"$results/$check" &
	running+=($!)
done
for i in "${!checks[@]}"; do
	wait "${running[i]}" || status=1
	cat "$results/${checks[i]}"
done
exit "$status"
