#!/usr/bin/env bash
# Plays lives of runs: two managers, and everything that may go wrong between them and the API server, in virtual time.
# SEEDS (1000) says how many, FROM (1) is the first seed, JSON a file for the result. A seed that breaks a rule says how
# to play it again.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

mkdir -p bin
CGO_ENABLED=0 go test -trimpath -vet=off -c -o bin/soak ./controllers/reconciler/simulation
options=(-seeds "${SEEDS:-1000}" -from "${FROM:-1}" -progress)
[[ -z ${JSON:-} ]] || options+=(-json "$JSON")
exec bin/soak -test.run '^TestRunLives$' -test.timeout 0 "${options[@]}"
