package labcmd

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab/fault"
	"github.com/tcpprobe/tcpprobe/lab/labcmd/truth"
)

// The documents say how many faults the catalogue has, and how many devices the oracle.
func TestDocumentsCountFaultsAndDevices(t *testing.T) {
	devices, err := truth.Rules()
	if err != nil {
		t.Fatal(err)
	}
	for page, says := range map[string][]string{
		"README.md": {fmt.Sprintf("# each of %d faults of the lab's switch", len(fault.Catalogue())),
			fmt.Sprintf("# behind %d devices", len(devices))},
		"docs/development.md": {fmt.Sprintf("`--catalogue` sets %d faults of the lab's switch", len(fault.Catalogue()))},
	} {
		text, err := os.ReadFile("../../" + page)
		if err != nil {
			t.Fatal(err)
		}
		for _, sentence := range says {
			if !strings.Contains(string(text), sentence) {
				t.Errorf("%s does not say %q", page, sentence)
			}
		}
	}
}
