package report

import "strings"

// tellingLines bounds what telling picks.
const tellingLines = 6

// telling picks, of a flow's evidence, the lines that its finding stands on: the suspect, a beacon after it
// and its answer, what the peer said of the witness, and the heal with its answer; of a FIN that an ACK
// overtook that ACK and the FIN's answer too. Evidence without a suspect is told from its beginning.
func telling(lines []string) []string {
	var out []string
	seen := map[string]bool{}
	for i, line := range lines {
		part := partOf(line)
		if seen[part] || part == "beacon" && !seen["suspect"] {
			continue
		}
		seen[part] = true
		switch part {
		case "overtaking ack":
			out = append(out, line)
		case "suspect":
			out = append(out, line)
			if seen["overtaking ack"] {
				out = append(out, answer(lines, i)...)
			}
		case "beacon", "heal":
			out = append(out, line)
			out = append(out, answer(lines, i)...)
		case "witness":
			out = append(out, answer(lines, i)...)
		}
	}
	if len(out) == 0 {
		out = lines
	}
	return out[:min(len(out), tellingLines)]
}

// partOf is what a segment was sent for: the word in parentheses at the line's end.
func partOf(line string) string {
	i := strings.LastIndex(line, " (")
	if i < 0 || !strings.HasSuffix(line, ")") {
		return ""
	}
	return line[i+2 : len(line)-1]
}

// answer is the line after the given one, if it is something received.
func answer(lines []string, i int) []string {
	if i+1 < len(lines) && strings.Contains(lines[i+1], " < ") {
		return lines[i+1 : i+2]
	}
	return nil
}
