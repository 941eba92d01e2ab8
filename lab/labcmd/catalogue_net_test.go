//go:build net

package labcmd

import (
	"encoding/json"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
)

// For every rule of the switch and both families, all variants that the rule affects fail, no others do, and nearly
// every rule gets its right name.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	r := tcpprobe(t, "lab", "--catalogue", "-o", "json")
	var found catalogueResult
	if err := json.Unmarshal([]byte(r.stdout), &found); err != nil {
		t.Fatalf("%v: %+v", err, r)
	}
	if r.status != cli.ExitPass || found.Expected < 90 || found.Rules < 28 {
		t.Errorf("exit status %d: %d of %d affected variants failed, %d others, %d of %d rules named rightly:\n%v",
			r.status, found.Failed, found.Expected, found.Others, found.Named, found.Rules, found.differences())
	}
}
