#!/usr/bin/env bash
# Runs every fuzz target with new inputs, one after the other: each for FUZZTIME (30s), or all of them together for
# FOR, evenly shared. An input that makes one fail is written to its testdata/fuzz. Commit it: the unit tests then run
# with it too.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

# seconds DURATION prints it as seconds: 90s, 10m or 2h.
seconds() {
	[[ $1 =~ ^([1-9][0-9]{0,5})([smh])$ ]] || { echo "fuzz: FOR=$1 is not a time like 90s, 10m or 2h" >&2 && return 1; }
	case ${BASH_REMATCH[2]} in
	s) echo "${BASH_REMATCH[1]}" ;;
	m) echo $((BASH_REMATCH[1] * 60)) ;;
	h) echo $((BASH_REMATCH[1] * 3600)) ;;
	esac
}

mapfile -t targets < <(git grep --untracked -oE '^func Fuzz[A-Za-z0-9]+' -- '*_test.go' | sed 's/:func /:/')
each=${FUZZTIME:-30s}
if [[ -n ${FOR:-} ]]; then
	all=$(seconds "$FOR")
	each=$((all > ${#targets[@]} ? all / ${#targets[@]} : 1))s
fi
printf '%d targets, each for %s\n' "${#targets[@]}" "$each"
status=0 failed=()
for target in "${targets[@]}"; do
	name=${target#*:} folder=$(dirname "${target%%:*}")
	printf '=== %s of %s ===\n' "$name" "$folder"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$each" "./$folder" || { status=1 && failed+=("$name of $folder"); }
done
if ((status == 0)); then
	printf '%d targets: none failed\n' "${#targets[@]}"
else
	printf 'failed: %s\n' "${failed[@]}"
fi
exit "$status"
