package limits

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
)

// TestDefaultCaps pins the limits that hold if the administrator sets none.
func TestDefaultCaps(t *testing.T) {
	want := Caps{Total: 200, PerProbe: 50, PerNode: 5, PerSecond: 20, NodePackets: 30_000, TargetPackets: 10_000}
	if DefaultCaps != want {
		t.Errorf("%+v; want %+v", DefaultCaps, want)
	}
}

// TestDefaultCapsAreStated: what repeats the defaults has the same numbers.
func TestDefaultCapsAreStated(t *testing.T) {
	c := DefaultCaps
	fromNode, toTarget := thousands(c.NodePackets), thousands(c.TargetPackets)
	for file, statements := range map[string][]string{
		"charts/tcpprobe/values.yaml": {
			fmt.Sprintf("pods: 0 # probe pods at once in the cluster: %d podsPerTCPProbe: 0 # %d podsPerNode: 0 # %d ",
				c.Total, c.PerProbe, c.PerNode),
			fmt.Sprintf("podsPerSecond: 0 # probe pods made in a second: %d ", c.PerSecond),
			fmt.Sprintf("packetsPerNode: 0 # packets a second from a node: %d ", c.NodePackets),
			fmt.Sprintf("packetsPerTarget: 0 # packets a second to a pod or address: %d ", c.TargetPackets),
		},
		"README.md": {
			fmt.Sprintf("%d probe pods at a time, %d per TCPProbe, %d per node; ", c.Total, c.PerProbe, c.PerNode),
			fmt.Sprintf("; %s packets a second from a node and %s to a target", fromNode, toTarget),
		},
		"docs/operations.md": {
			fmt.Sprintf("| `--max-pods` | %d |", c.Total),
			fmt.Sprintf("| `--max-pods-per-tcpprobe` | %d |", c.PerProbe),
			fmt.Sprintf("| `--max-pods-per-node` | %d |", c.PerNode),
			fmt.Sprintf("| `--max-pods-per-second` | %d |", c.PerSecond),
			fmt.Sprintf("| `--max-packets-per-node` | %d |", c.NodePackets),
			fmt.Sprintf("| `--max-packets-per-target` | %d |", c.TargetPackets),
			fmt.Sprintf("in all: %s in five minutes", thousands(c.PerSecond*5*60)),
			fmt.Sprintf("because %d pods a second are the bound", c.PerSecond),
		},
		"docs/security.md": {
			fmt.Sprintf("at most %s a second from a node and %s to a pod or address", fromNode, toTarget),
		},
		"docs/resource.md": { // generated from api/v1alpha1/reasons.go
			fmt.Sprintf("from a node (%s a second) or to one target (%s)", fromNode, toTarget),
			fmt.Sprintf("(%d in all, %d of a TCPProbe, %d on a node)", c.Total, c.PerProbe, c.PerNode),
			fmt.Sprintf("(%s packets a second from a node, %s to a target; a namespace has half of each at most)",
				fromNode, toTarget),
		},
	} {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statements {
			if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), s) {
				t.Errorf("%s does not say %q", file, s)
			}
		}
	}
}

// thousands writes a number from 1,000 to 999,999 as documents do.
func thousands(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }

// TestSlowestProbe: the manager and the prober agree on the lowest rate.
func TestSlowestProbe(t *testing.T) {
	rp := plantest.Example(controllertest.ThreeNodes, controllertest.ThreeNodes)
	for rate, valid := range map[int]bool{9: false, 10: true} {
		rp.Plan.PacketsPerSecond = rate
		if err := rp.Plan.Validate(); (err == nil) != valid {
			t.Errorf("%d packets a second: %v", rate, err)
		}
	}
	if SlowestProbe != 10 {
		t.Errorf("the slowest probe sends %d packets a second", SlowestProbe)
	}
}
