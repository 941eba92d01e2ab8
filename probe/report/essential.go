package report

import "github.com/tcpprobe/tcpprobe/probe/evidence"

// essentialLines is how many lines essential picks at most.
const essentialLines = 6

// essential picks the most important lines of a flow's evidence: the suspect, a beacon after it with its answer, the
// answer to the witness, and the heal with its answer. For FinReorder it also picks the overtaking ACK and the answer
// to the FIN. If there is no suspect, it picks the first lines.
func essential(lines evidence.Lines) evidence.Lines {
	var out evidence.Lines
	seen := map[evidence.Part]bool{}
	for i, line := range lines {
		part := line.Part
		if seen[part] || part == evidence.Beacon && !seen[evidence.Suspect] {
			continue
		}
		seen[part] = true
		switch part {
		case evidence.OvertakingACK:
			out = append(out, line)
		case evidence.Suspect:
			out = append(out, line)
			if seen[evidence.OvertakingACK] {
				out = append(out, answer(lines, i)...)
			}
		case evidence.Beacon, evidence.Heal:
			out = append(out, line)
			out = append(out, answer(lines, i)...)
		case evidence.Witness:
			out = append(out, answer(lines, i)...)
		}
	}
	if len(out) == 0 {
		out = lines
	}
	return out[:min(len(out), essentialLines)]
}

// answer returns the line after the given one if it was received.
func answer(lines evidence.Lines, i int) evidence.Lines {
	if i+1 < len(lines) && lines[i+1].Kind == evidence.Received {
		return lines[i+1 : i+2]
	}
	return nil
}
