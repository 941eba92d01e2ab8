# shellcheck shell=bash
# Progress of something long that prints one line per step.

# count_lines WHAT MOST reads lines and says every ten seconds how many came, of at most MOST. Lines that are not a
# step, such as a compiler's complaint, are passed on.
count_lines() {
	local what=$1 most=$2 count=0 next=$((SECONDS + 10)) line status
	while true; do
		if IFS= read -r -t 1 line; then
			if [[ $line =~ ^(go:\ downloading\ .*|[[:alnum:]._/~-]+)$ ]]; then count=$((count + 1)); else say "$line"; fi
		else
			status=$?
			((status > 128)) || break # the end, not the time-out
		fi
		((SECONDS < next)) && continue
		say "  $what: $count of at most $most, $((SECONDS / 60))m$((SECONDS % 60))s"
		next=$((SECONDS + 10))
	done
}
