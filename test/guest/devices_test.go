//go:build guest

package guest

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lacking are the networks of the lab with devices that this machine's kernel may not support.
var lacking = []string{"geneve", "wireguard", "vlan", "bond", "ipvlan"}

// complete is the kernel that has all these devices.
const complete = "6.12"

// devicesPatience is long enough for a busy machine. On an idle one the tests take half a minute.
const devicesPatience = 8 * time.Minute

// TestDevices shows that the verdicts are the same over devices that only another kernel has. It runs the tests of the
// lab's command in a guest.
func TestDevices(t *testing.T) {
	t.Parallel()
	kernel := filepath.Join(fetch(t), complete)
	initrd := pack(t, filepath.Join(kernel, "devices"), map[string]string{
		"init": build(t), "tests": compile(t, "test", "-c", "-tags", "net", "../../lab/labcmd"),
	})
	m := boot(t, kernel, initrd, nil, "TESTS=TestVerdictInEveryTopology/^("+strings.Join(lacking, "|")+")$", "-m", "512")
	var ended Tested
	m.hear(t, devicesPatience, &ended)
	for range m.said {
		continue // until the guest has ended and the log is complete
	}
	if ended.Error != "" {
		t.Errorf("the tests in the guest: %s", ended.Error)
	}
	for _, name := range lacking {
		if !strings.Contains(m.log.String(), "--- PASS: TestVerdictInEveryTopology/"+name+" (") {
			t.Errorf("no test passed over %s", name)
		}
	}
}
