package report

import "fmt"

// Handshakes says how handshakes went that were established.
type Handshakes struct {
	Established     int   `json:"established"`
	Repeated        int   `json:"repeated"`        // those that needed more than one SYN
	SYNsRepeated    int   `json:"synsRepeated"`    // SYNs that were sent again
	SYNACKsRepeated int   `json:"synAcksRepeated"` // SYN-ACKs that came again
	ConnectMicros   Delay `json:"connectMicros"`   // from the first SYN to the SYN-ACK, with all repetitions
}

// handshakesText is the line of a result for people. It is empty where each handshake needed one SYN.
func (r Result) handshakesText() string {
	h := r.Handshakes
	if h == nil || h.Repeated == 0 {
		return ""
	}
	text := fmt.Sprintf("connect: %s, at most %s; %d of %d handshakes needed more than one SYN",
		micros(h.ConnectMicros.Median), micros(h.ConnectMicros.Max), h.Repeated, h.Established)
	if r.RTTMicros != nil {
		text += "; round trip: " + micros(r.RTTMicros.Median)
	}
	return text
}

// handshakeLines are the lines below the table about handshakes.
func (r Report) handshakeLines() (lines []string) {
	for _, res := range r.Results {
		if text := res.handshakesText(); text != "" {
			lines = append(lines, printable(res.title()+" to "+res.Target+": "+text))
		}
	}
	return lines
}
