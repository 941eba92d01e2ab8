package golden

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// rule replaces what differs from run to run by a word that says what it was.
type rule struct {
	volatile *regexp.Regexp
	word     string
}

func apply(rules []rule, text string) string {
	for _, r := range rules {
		text = r.volatile.ReplaceAllString(text, r.word)
	}
	return text
}

// jsonRules are for the JSON of lab and prober. A number that is 0 stays.
var jsonRules = []rule{
	{regexp.MustCompile(`("run": ")[^"]*`), "${1}RUN"},
	{regexp.MustCompile(`("kernel": ")[^"]*`), "${1}KERNEL"},
	{regexp.MustCompile(`("started": ")[^"]*`), "${1}TIME"},
	{regexp.MustCompile(`("address": ")[^"]*`), "${1}ADDRESS"},
	{regexp.MustCompile(`("capture": ")[^"]*`), "${1}PCAPNG"},
	{regexp.MustCompile(`("(durationMicros|stolen|resetsDropped|segmentsSent|seen|dropped)": )[1-9][0-9]*`), "${1}N"},
	{regexp.MustCompile(`("(min|median|max|p99|stallMillis)": )[1-9][0-9]*`), "${1}N"},
	{regexp.MustCompile(`("(sent|lost)": )[0-9]+`), "${1}N"}, // what is late on a busy machine counts as lost
	{regexp.MustCompile(`(?m)^(\s+)[1-9][0-9]{3,4}(,?)$`), "${1}PORT${2}"},
	// of the kernel's connections: times, and what chance ended
	{regexp.MustCompile(`(?s),\n\s+"sizes": \[.*?\n\s+\]`), ""},
}

// tableRules are for tables and messages.
var tableRules = []rule{
	{regexp.MustCompile(`run [a-z2-7]{10} from (\S+), kernel \S+,`), "run RUN from $1, kernel KERNEL,"},
	{regexp.MustCompile(`\d+ segments sent in [0-9.]+(µs|ms|s|m[0-9.]+s)`), "N segments sent in TIME"},
	{regexp.MustCompile(`(?m) +[0-9.]+(µs|ms|s)$`), " RTT"},
	{regexp.MustCompile(`dropped [1-9]\d* of`), "dropped N of"},
	{regexp.MustCompile(`\b([1-9]\d*|N) of [1-9]\d*( packets)? towards`), "N of N$2 towards"},
	{regexp.MustCompile(`\b0 of [1-9]\d*( packets)? towards`), "0 of N$1 towards"},
	{regexp.MustCompile(`(source ports of some that failed:)[0-9 ]+`), "$1 PORTS"},
	{regexp.MustCompile(`kernel: \d+ connections to (\S+), \d+ of them`), "kernel: N connections to $1, N of them"},
	{regexp.MustCompile(`\d+ of \d+ (kernel connections|others)`), "N of N $1"},
	// whether data was still in flight is a matter of microseconds where nothing delays
	{regexp.MustCompile(`; none had data in flight there: [^;"\n]* had left`), ""},
	{regexp.MustCompile(`[67] kernel connections crossed 0 unharmed \(([^)]*?)( bytes)?(, in flight)?(, across 0)?\)`),
		"N kernel connections crossed 0 unharmed ($1)"},
	{regexp.MustCompile(`\b\d+ of \d+ suspects`), "N of N suspects"},
	{regexp.MustCompile(`\b(\d+|N) of (\d+|N) controls \([0-9.]+ %\)`), "N of N controls (P %)"},
	{regexp.MustCompile(`(round trip: |suspects |controls )[0-9.]+(µs|ms|s), at most`), "${1}RTT, at most"},
	{regexp.MustCompile(`\.tcpprobe-\d+`), ".tcpprobe-N"},
}

// wordRules are for messages. Numbers of samples and probabilities depend on the load of the machine.
var wordRules = []rule{
	{regexp.MustCompile(`\b\d+(\.\d+)?e-\d+\b`), "P"},
	{regexp.MustCompile(`\b\d+\.\d+\b`), "X"},
	{regexp.MustCompile(`\b[1-9]\d*( m?s\b)`), "N$1"},
	{regexp.MustCompile(`\b[1-9]\d* of [1-9]\d*\b`), "N of N"},
	{regexp.MustCompile(`\bamong [1-9]\d*\b`), "among N"},
}

// segmentRules are for lines of evidence: times, sequence numbers other than 0, lengths.
var segmentRules = []rule{
	{regexp.MustCompile(`\+\d+\.\d+ `), "+T "},
	{regexp.MustCompile(`(seq|ack|len) [1-9]\d*`), "$1 N"},
	{regexp.MustCompile(`\d+-\d+`), "N-N"},
	{regexp.MustCompile(`… \d+ more`), "… N more"},
}

// reducedEvidence has each kind of segment that was sent, once and sorted. How many there are, in which order, and
// what is received in between depends on timing and on random numbers. So do acknowledgements of late segments, and
// which of several flows asks again, or about other numbers.
func reducedEvidence(lines []string) []string {
	const opening = 4 // SYN, SYN-ACK, ACK
	var out []string
	for i, line := range lines {
		line = apply(segmentRules, strings.TrimSpace(line))
		chance := i >= opening && strings.HasSuffix(line, "(ack)") || strings.HasSuffix(line, "(knock)") ||
			strings.HasSuffix(line, "(alike)")
		if strings.HasPrefix(line, "+T >") && !slices.Contains(out, line) && !chance {
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return out
}

// indented is JSON with one value a line. The order of fields is kept.
func indented(text string) (string, bool) {
	var out bytes.Buffer
	if json.Indent(&out, []byte(strings.TrimSpace(text)), "", "  ") != nil {
		return text, false
	}
	return out.String() + "\n", true
}
