//go:build net

package labcmd

import (
	"encoding/json"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
)

// For every rule of the switch and both families, all variants that the rule affects fail, no others do, and nearly
// every rule gets its right name. A machine that is too busy to answer in time loses segments: then all is asked again.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	var r result
	var found catalogueResult
	for try := 0; try < 2 && (try == 0 || r.status != cli.ExitPass); try++ {
		r, found = tcpprobe(t, "lab", "--catalogue", "-o", "json"), catalogueResult{}
		if err := json.Unmarshal([]byte(r.stdout), &found); err != nil {
			t.Fatalf("%v: %+v", err, r)
		}
	}
	if r.status != cli.ExitPass || found.Expected < 90 || found.Rules < 28 {
		t.Errorf("exit status %d: %d of %d affected variants failed, %d others, %d of %d rules named rightly:\n%v",
			r.status, found.Failed, found.Expected, found.Others, found.Named, found.Rules, found.differences())
	}
}
