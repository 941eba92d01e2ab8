package labcmd

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labcmd/truth"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// cellOf is a cell about a rule over IPv4 with one flow. No control is harmed.
func cellOf(rule, size string, crossing truth.Group, is truth.Agreement) truthCell {
	s := truth.Suffering{Size: size, Crossing: crossing, Control: truth.Group{Unharmed: 8}}
	return truthCell{Rule: rule, Family: lab.IPv4, Paths: 1, Kernel: s, State: s.State(), Is: is,
		Result: report.Result{Verdict: report.Pass, Reason: report.Delivered, Message: "16 of 16 flows"}}
}

// The table has a line for sizes that suffer alike, and each contradiction with its evidence; one is enough to fail.
func TestTruthIsPrinted(t *testing.T) {
	well, dead := truth.Group{Unharmed: 8}, truth.Group{Died: 8}
	m := truthMatrix{rules: []truth.Rule{{Name: "b"}, {Name: "a"}}, cells: []truthCell{
		cellOf("a", "1", truth.Group{Unharmed: 6, Died: 2}, truth.Open),
		cellOf("b", "1", well, truth.Agree), cellOf("b", "3", well, truth.Agree),
		cellOf("b", "100", dead, truth.Contradiction),
		cellOf("b", "MSS", dead, truth.Inconclusive),
	}}
	r := m.result()
	if r.Decided != 4 || r.Contradictions != 1 || r.Inconclusive != 1 || r.verdict() != report.Fail {
		t.Errorf("%+v", r)
	}
	var out bytes.Buffer
	if err := r.write(&out, cli.Table); err != nil {
		t.Fatal(err)
	}
	want := `RULE  PATHS  FAMILY  SIZE  KERNEL                                       VERDICT  REASON     IS
b     1      IPv4    1,3   unharmed                                     Pass     Delivered  agree
b     1      IPv4    100   harmed at 0: 8 of 8 died; others: unharmed   Pass     Delivered  CONTRADICTION
b     1      IPv4    MSS   harmed at 0: 8 of 8 died; others: unharmed   Pass     Delivered  inconclusive
a     1      IPv4    1     undecided: 2 of 8 died; others: unharmed     Pass     Delivered  open
`
	if !strings.HasPrefix(squeeze(out.String()), squeeze(want)) ||
		!strings.Contains(out.String(), "5 cells; what connections suffer is decided in 4. Of these 1 contradictions") ||
		!strings.Contains(out.String(), "\nb, IPv4, 1 paths, size 100: ") {
		t.Errorf("got\n%s", out.String())
	}
	m.cells = []truthCell{cellOf("a", "1", well, truth.Agree), cellOf("a", "MSS", dead, truth.Inconclusive)}
	if got := m.result().verdict(); got != report.Pass {
		t.Errorf("without a contradiction: %s", got)
	}
}

// squeeze makes columns one space apart.
func squeeze(s string) string {
	var lines []string
	for l := range strings.Lines(s) {
		lines = append(lines, strings.Join(strings.Fields(l), " "))
	}
	return strings.Join(lines, "\n")
}
