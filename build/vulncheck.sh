#!/usr/bin/env bash
# Looks for known vulnerabilities that this code reaches, in Go's database or the one that GOVULNDB names.
#
#   vulncheck.sh [PACKAGE]...   (all, if none is named)
#
# The exit status is 0 if there are none, 3 if there are some, and 1 if that is not known.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

(($# > 0)) || set -- ./...
database=${GOVULNDB:-https://vuln.go.dev}
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
status=0
go tool -modfile=build/vulncheck/go.mod govulncheck -db "$database" "$@" 2>"$errors" || status=$?
cat "$errors" >&2
if grep --quiet --extended-regexp 'fetching vulnerabilities|creating client' "$errors"; then
	echo "vulncheck: nothing was checked: the database $database could not be read from here." \
		"Let this machine reach it, or name a copy by GOVULNDB." >&2
	exit 1
fi
exit "$status"
