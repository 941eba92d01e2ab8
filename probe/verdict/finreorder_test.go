package verdict

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// opened is a flow whose connections were opened, without further observations.
var opened = Observation{Opening: open}

var finReorderCases = []struct {
	name    string
	seen    Closing
	verdict report.Verdict
	want    report.Reason
}{
	{"accepted", Closing{Observation: opened, Control: FinAccepted, Overtaken: FinAnswers{FinAccepted: 1}}, report.Pass,
		report.FinAccepted},
	{"accepted, after voids", Closing{Observation: opened, Control: FinAccepted,
		Overtaken: FinAnswers{FinAccepted: 1, FinVoid: 2, FinSilent: 1}}, report.Pass, report.FinAccepted},
	{"ignored twice", Closing{Observation: opened, Control: FinAccepted, Overtaken: FinAnswers{FinIgnored: 2}},
		report.Fail, report.FinIgnored},
	{"ignored twice of three", Closing{Observation: opened, Control: FinAccepted,
		Overtaken: FinAnswers{FinIgnored: 2, FinAccepted: 1}}, report.Fail, report.FinIgnored},
	{"ignored once", Closing{Observation: opened, Control: FinAccepted, Overtaken: FinAnswers{FinIgnored: 1}},
		report.Inconclusive, report.PathLossy},
	{"ignored once, accepted twice",
		Closing{Observation: opened, Control: FinAccepted,
			Overtaken: FinAnswers{FinIgnored: 1, FinAccepted: 2}}, report.Inconclusive, report.PathLossy},
	{"ignored once, accepted three times",
		Closing{Observation: opened, Control: FinAccepted,
			Overtaken: FinAnswers{FinIgnored: 1, FinAccepted: 3}}, report.Pass, report.FinAccepted},
	{"unheard", Closing{Observation: opened, Control: FinAccepted, Overtaken: FinAnswers{FinUnheard: 3}},
		report.Inconclusive, report.NotIsolated},
	{"unheard twice", Closing{Observation: opened, Control: FinAccepted, Overtaken: FinAnswers{FinUnheard: 2}},
		report.Inconclusive, report.PathLossy},
	{"unheard, but accepted once", Closing{Observation: opened, Control: FinAccepted,
		Overtaken: FinAnswers{FinUnheard: 3, FinAccepted: 1}}, report.Pass, report.FinAccepted},
	{"late", Closing{Observation: opened, Control: FinAccepted, Overtaken: FinAnswers{FinLate: 3}}, report.Inconclusive,
		report.NotIsolated},
	{"late twice", Closing{Observation: opened, Control: FinAccepted, Overtaken: FinAnswers{FinLate: 2}},
		report.Inconclusive, report.PathLossy},
	{"late, but ignored twice", Closing{Observation: opened, Control: FinAccepted,
		Overtaken: FinAnswers{FinLate: 3, FinIgnored: 2}}, report.Fail, report.FinIgnored},
	{"late once, accepted", Closing{Observation: opened, Control: FinAccepted,
		Overtaken: FinAnswers{FinLate: 1, FinAccepted: 1}}, report.Pass, report.FinAccepted},
	{"silent", Closing{Observation: opened, Control: FinAccepted, Overtaken: FinAnswers{FinSilent: 5}},
		report.Inconclusive, report.PathLossy},
	{"the control is silent", Closing{Observation: opened}, report.Inconclusive, report.PathDown},
	{"the control is ignored", Closing{Observation: opened, Control: FinRefused}, report.Inconclusive, report.NotIsolated},
	{"not closed", Closing{Observation: opened, NotClosed: true}, report.Inconclusive, report.PeerDidNotClose},
	{"too long an answer", Closing{Observation: opened, NotClosed: true, TooLong: true}, report.Inconclusive,
		report.PeerDidNotClose},
	{"trigger unheard", Closing{Observation: opened, Unheard: true}, report.Inconclusive, report.PathDown},
	{"no connection", Closing{}, report.Inconclusive, report.PathDown},
	{"no further connection", Closing{Control: FinAccepted, Overtaken: FinAnswers{FinIgnored: 1}}, report.Inconclusive,
		report.PathLossy},
	{"resets", Closing{Observation: Observation{Opening: open, PeerReset: true}, Control: FinAccepted,
		Overtaken: FinAnswers{}}, report.Inconclusive, report.PeerReset},
	{"resets after an overtaking ACK alone", Closing{Observation: Observation{Opening: open}, Control: FinAccepted,
		Overtaken: FinAnswers{FinReset: 5}, Again: Count{5, 0}}, report.Inconclusive, report.FinReset},
	{"resets in order as well", Closing{Observation: Observation{Opening: open}, Control: FinAccepted,
		Overtaken: FinAnswers{FinReset: 5}, Again: Count{5, 1}}, report.Inconclusive, report.PathLossy},
	{"resets too seldom", Closing{Observation: Observation{Opening: open}, Control: FinAccepted,
		Overtaken: FinAnswers{FinReset: 4}, Again: Count{4, 0}}, report.Inconclusive, report.PathLossy},
	{"accepted as often as reset", Closing{Observation: Observation{Opening: open}, Control: FinAccepted,
		Overtaken: FinAnswers{FinReset: 1, FinAccepted: 1}, Again: Count{1, 0}}, report.Inconclusive, report.PathLossy},
	{"guard incomplete beats an ignored FIN",
		Closing{Observation: Observation{Opening: open, Guard: unclean}, Control: FinAccepted,
			Overtaken: FinAnswers{FinIgnored: 2}}, report.Inconclusive, report.GuardIncomplete},
	{"asymmetric", Closing{Observation: Observation{Guard: conn.SelfCheck{OtherDevice: 3}}}, report.Inconclusive,
		report.AsymmetricReturn},
	{"deadline", Closing{Observation: Observation{Opening: open, Expired: true}, Control: FinAccepted,
		Overtaken: FinAnswers{FinAccepted: 1}}, report.Inconclusive, report.DeadlineExceeded},
	{"fault", Closing{Observation: Observation{Fault: errors.New("no memory")}}, report.Inconclusive, report.ProberFault},
}

func TestFinReorderChain(t *testing.T) {
	for _, c := range finReorderCases {
		if f := FinReorder(&c.seen); f.Reason != c.want || f.Verdict != c.verdict || f.Message == "" {
			t.Errorf("%s: %s / %s (%s), want %s / %s", c.name, f.Verdict, f.Reason, f.Message, c.verdict, c.want)
		}
	}
}

func TestFinReorderMessages(t *testing.T) {
	bad := FinReorder(&Closing{Observation: Observation{Opening: open}, Control: FinAccepted,
		Overtaken: FinAnswers{FinIgnored: 2, FinAccepted: 1}, Stall: 201300 * time.Microsecond})
	good := FinReorder(&Closing{Observation: Observation{Opening: open}, Control: FinAccepted,
		Overtaken: FinAnswers{FinAccepted: 1}})
	for f, words := range map[Finding][]string{
		bad: {"2 of 3", "201 ms", "modelled on Linux's minimum RTO", "tcp: accept old ack during closing", "795a7dfbc3d9",
			"6.9"},
		good: {"this application's way of closing is not affected; it does not show that the kernel is fixed"},
	} {
		for _, w := range words {
			if !strings.Contains(f.Message, w) {
				t.Errorf("the message of %s lacks %q: %s", f.Reason, w, f.Message)
			}
		}
	}
}

// Resets end the test once five connections were reset, none was judged otherwise, and five closed in order.
func TestClosingDecided(t *testing.T) {
	for _, c := range []struct {
		overtaken FinAnswers
		again     Count
		want      bool
	}{
		{FinAnswers{}, Count{}, false},
		{FinAnswers{FinAccepted: 1}, Count{}, true},
		{FinAnswers{FinReset: 5}, Count{5, 0}, true},
		{FinAnswers{FinReset: 4}, Count{5, 0}, false},
		{FinAnswers{FinReset: 5}, Count{4, 0}, false},
		{FinAnswers{FinReset: 5}, Count{5, 1}, false},
		{FinAnswers{FinReset: 5, FinIgnored: 1}, Count{5, 0}, false},
	} {
		o := Closing{Overtaken: c.overtaken, Again: c.again}
		if got := o.Decided(); got != c.want {
			t.Errorf("%+v: decided %t", c, got)
		}
	}
}

// Each condition that ends the test, and cases without any.
func TestFinDecided(t *testing.T) {
	for _, c := range []struct {
		answers FinAnswers
		want    bool
	}{
		{FinAnswers{}, false},
		{FinAnswers{FinIgnored: 1}, false},
		{FinAnswers{FinIgnored: 2}, true},
		{FinAnswers{FinAccepted: 1}, true},
		{FinAnswers{FinAccepted: 2, FinIgnored: 1}, false},
		{FinAnswers{FinUnheard: 2}, false},
		{FinAnswers{FinUnheard: 3}, true},
		{FinAnswers{FinUnheard: 3, FinIgnored: 1}, false},
		{FinAnswers{FinLate: 2}, false},
		{FinAnswers{FinLate: 3}, true},
		{FinAnswers{FinLate: 3, FinIgnored: 1}, false},
	} {
		if got := c.answers.decided(); got != c.want {
			t.Errorf("%v: decided %t", c.answers, got)
		}
	}
}
