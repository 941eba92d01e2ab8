package labcmd

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab/labcmd/truth"
)

// The matrix has what it needs by its own; --fault chooses its devices, of which each may have several faults, and
// --paths the number of flows.
func TestTruthsFlags(t *testing.T) {
	all, err := truth.Rules()
	if err != nil || len(all) < 25 {
		t.Fatalf("%d rules: %v", len(all), err)
	}
	for _, c := range []struct {
		args   []string
		rules  int
		paths  int
		within string // of the error
	}{
		{nil, len(all), 2, ""},
		{[]string{"--fault", "push-at-zero + loss=5%", "--fault", "loss=1%"}, 2, 2, ""},
		{[]string{"--paths", "3"}, len(all), 1, ""},
		{[]string{"--fault", "nothing"}, 0, 0, "is not one of"},
		{[]string{"--paths", "0"}, 0, 0, "--paths"},
		{[]string{"--campaign"}, 0, 0, "leave --campaign out"},
		{[]string{"--seeds", "3"}, 0, 0, "leave --seeds out"},
		{[]string{"--scenario", "Handshake"}, 0, 0, "leave --scenario out"},
	} {
		o := &options{}
		cmd := Command()
		cmd.ResetFlags()
		o.register(cmd)
		cmd.SetErr(&bytes.Buffer{})
		if err := cmd.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		m, err := o.newTruthMatrix(cmd)
		switch {
		case c.within != "":
			if err == nil || !strings.Contains(err.Error(), c.within) {
				t.Errorf("%v: %v, want %q", c.args, err, c.within)
			}
		case err != nil:
			t.Errorf("%v: %v", c.args, err)
		case len(m.rules) != c.rules || len(m.paths) != c.paths || len(m.families()) != 2 || !m.KernelConnections:
			t.Errorf("%v: %d rules, paths %v, families %v", c.args, len(m.rules), m.paths, m.families())
		}
	}
}
