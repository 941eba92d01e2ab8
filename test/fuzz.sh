#!/usr/bin/env bash
# Runs every fuzz target with new inputs, one after the other, each for FUZZTIME (30s). An input that makes one fail is
# written to its testdata/fuzz. Commit it: the unit tests then run with it too.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

status=0
while IFS=: read -r file target; do
	printf '=== %s of %s ===\n' "$target" "$(dirname "$file")"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-30s}" "./$(dirname "$file")" || status=1
done < <(git grep --untracked -oE '^func Fuzz[A-Za-z0-9]+' -- '*_test.go' | sed 's/:func /:/')
exit "$status"
