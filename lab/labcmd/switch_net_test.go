//go:build net

package labcmd

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
)

// The command works on any device in any namespace. When it ends, the device works as before.
func TestSwitchCommand(t *testing.T) {
	t.Parallel()
	s := newTestbed(t, lab.Options{})
	cmd := exec.Command("/proc/self/exe", "lab", "switch", "--netns", s.Switch().Path(), "--port", lab.ClientPort,
		"--fault", "push-at-zero", "-o", "json")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	lines := json.NewDecoder(out)
	var announced struct {
		Attached []string
		Mode     string
	}
	if err := lines.Decode(&announced); err != nil || len(announced.Attached) != 1 || announced.Mode == "" {
		t.Fatalf("%+v, %v", announced, err)
	}
	_, found := probe(t, s, quick(""))
	expect(t, found, established, zeroDropped)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var counted struct{ Switch []lab.FaultCounters }
	if err := lines.Decode(&counted); err != nil || len(counted.Switch) != 1 || counted.Switch[0].In.Dropped == 0 {
		t.Errorf("%+v, %v", counted, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	_, found = probe(t, s, quick(""))
	expect(t, found, established, delivered)
}

func TestSwitchCommandRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, says string }{
		{"--netns nowhere --port eth0 --fault everything", "nowhere"},
		{"--port nothing --fault everything", "nothing"},
		{"--port lo --fault delay=1ms", "tcpprobe lab"},
	} {
		r := tcpprobe(t, append([]string{"lab", "switch"}, strings.Fields(c.args)...)...)
		if r.status != cli.ExitUnable || !strings.Contains(r.stderr, c.says) || r.stdout != "" {
			t.Errorf("%s: %+v", c.args, r)
		}
	}
}
