//go:build guest

package guest

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lacking are the networks whose devices this machine's kernel may lack.
var lacking = []string{"geneve", "wireguard", "vlan", "bond", "ipvlan"}

// complete is the kernel that has them all.
const complete = "6.12"

// devicesPatience bounds the tests on a machine that is busy with other things: on its own it takes half a minute.
const devicesPatience = 8 * time.Minute

// The verdicts are the same over devices that only another kernel has: the tests of the lab's command run there.
func TestDevices(t *testing.T) {
	t.Parallel()
	kernel := filepath.Join(fetch(t), complete)
	initrd := pack(t, filepath.Join(kernel, "devices"), map[string]string{
		"init": build(t), "tests": compile(t, "test", "-c", "-tags", "net", "../../lab/labcmd"),
	})
	m := boot(t, kernel, initrd, nil, "TESTS=TestVerdictInEveryTopology/^("+strings.Join(lacking, "|")+")$", "-m", "512")
	var ended Tested
	m.hear(t, devicesPatience, &ended)
	for range m.said { // its last words, until the log is complete
	}
	if ended.Error != "" {
		t.Errorf("the tests in the guest: %s", ended.Error)
	}
	for _, name := range lacking {
		if !strings.Contains(m.log.String(), "--- PASS: TestVerdictInEveryTopology/"+name+" (") {
			t.Errorf("nothing was shown of %s", name)
		}
	}
}
