package report

import "github.com/tcpprobe/tcpprobe/probe/evidence"

// essentialLines bounds what essential picks.
const essentialLines = 6

// essential picks, of a flow's evidence, the lines that its finding stands on: the suspect, a beacon after it
// and its answer, what the peer said of the witness, and the heal with its answer; of a FIN that an ACK
// overtook that ACK and the FIN's answer too. Evidence without a suspect is told from its beginning.
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

// answer is the line after the given one, if it is something received.
func answer(lines evidence.Lines, i int) evidence.Lines {
	if i+1 < len(lines) && lines[i+1].Kind == evidence.Received {
		return lines[i+1 : i+2]
	}
	return nil
}
