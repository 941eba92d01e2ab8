package verdict

import (
	"fmt"
	"math"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// SYNTest asks whether the first SYN of each connection gets no answer: in fresh connections, one after the other,
// after random pauses. A repetition follows a first SYN that got no answer.
type SYNTest struct {
	Trials  int // connections that were opened for the test
	Lost    int // those whose first SYN got no answer, and whose second SYN did
	Patient int // connections before it, in which the second SYN waited until the peer would have repeated its SYN-ACK
	ByPeer  int // those of them in which the SYN-ACK came late, without another SYN
	// PeerRepeats: the peer was seen to repeat a SYN-ACK in the time that a second SYN waited.
	PeerRepeats bool
	Answered    bool    // the first SYN of a patient connection was answered, or nothing was
	Alpha       float64 // the test's share of the stated error; 0: not asked
}

// A kernel's timeouts of a first SYN (RFC 6298 section 2), which a client waits for.
const firstSYNStall = 1000 // ms

const (
	// EnoughPatient is how many patient connections are opened.
	EnoughPatient = 3
	// maxAnswered is how many connections may go otherwise before the test ends.
	maxAnswered = 3
	// chanceOfLoss is the largest chance that the first of two SYNs is lost and the second is not. Losses that do not
	// depend on each other have at most 1/2 times 1/2, and those that come together less. A limit on SYNs, or a queue,
	// frees a place between the two at most so often, because the pause before the first one is random and up to four
	// times as long as that between them.
	chanceOfLoss = 1.0 / 4
)

// P is the p-value that so many first SYNs are lost, and second ones not, by chance.
func (t SYNTest) P() float64 { return binomialAtLeast(t.Lost, t.Trials, chanceOfLoss) }

// Significant reports whether chance is excluded. One look is taken for each number of connections that went otherwise,
// and each has its share of the error.
func (t SYNTest) Significant() bool {
	return t.Trials-t.Lost <= maxAnswered && t.P() <= t.Alpha/(maxAnswered+1)
}

// Hopeless reports whether the test no longer convicts.
func (t SYNTest) Hopeless() bool { return t.Answered || t.Trials-t.Lost > maxAnswered }

// Decided reports whether no more is to be asked.
func (t SYNTest) Decided() bool { return t.Hopeless() || t.Significant() }

// Reason says which of the two is lost. That it is the SYN is shown by a peer that repeats its SYN-ACKs, and had none.
func (t SYNTest) Reason() report.Reason {
	if t.ByPeer == t.Patient && t.Patient > 0 {
		return report.SynAckLost
	}
	return report.SynLost
}

func (t SYNTest) String() string {
	what, why := "SYN", "Whether the SYN or its answer is lost is not shown"
	switch {
	case t.Reason() == report.SynAckLost:
		what = "SYN-ACK"
		why = fmt.Sprintf("The SYN arrives: in %d of %d connections the peer's second SYN-ACK came without another SYN",
			t.ByPeer, t.Patient)
	case t.PeerRepeats && t.ByPeer == 0:
		why = "It is the SYN, not its answer: a peer that gets one repeats its SYN-ACK, as this one was seen to, and none " +
			"came"
	}
	return fmt.Sprintf("the first %s of each connection is lost, and a client's kernel waits %d ms for the next: of %d "+
		"connections, one after the other, %d got an answer to their second SYN only (p = %.1e). %s",
		what, firstSYNStall, t.Trials, t.Lost, t.P(), why)
}

// FirstSYNsLost reports whether so many handshakes of a result needed more than one SYN that it is worth asking why.
func FirstSYNsLost(r report.Result) bool {
	return r.Reason == report.Established && r.Handshakes != nil && r.Handshakes.Repeated > 0 &&
		2*r.Handshakes.Repeated >= r.Handshakes.Established
}

// withFirstSYNs is a result whose first SYNs are lost.
func withFirstSYNs(r report.Result, t SYNTest, alpha float64) report.Result {
	r.Verdict, r.Reason, r.Alpha, r.StallMillis = report.Fail, t.Reason(), alpha, firstSYNStall
	r.Message = fmt.Sprintf("%s. Before, %d of %d handshakes needed more than one SYN", t, r.Handshakes.Repeated,
		r.Handshakes.Established)
	return r
}

// binomialAtLeast is P(X >= k) for X ~ Binomial(n, p).
func binomialAtLeast(k, n int, p float64) float64 {
	sum := 0.0
	for i := k; i <= n; i++ {
		sum += math.Exp(logChoose(n, i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}
