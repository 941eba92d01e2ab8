package capture

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// recordVariable is the environment variable with the file that a child process records to until it is killed.
const recordVariable = "TCPPROBE_TEST_RECORD"

func TestMain(m *testing.M) {
	if name, child := os.LookupEnv(recordVariable); child {
		recordForEver(name)
	}
	os.Exit(m.Run())
}

func recordForEver(name string) {
	f, err := Create(name)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	r := NewRecorder(f.Spill())
	for round := 0; ; round++ {
		for _, p := range example() {
			r.Record(p)
		}
		if round == 1000 {
			fmt.Println("recording")
		}
	}
}

// A process that is killed while it records leaves no file of its own, and an older file stays.
func TestKilledRecordingLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "run.pcapng")
	if err := os.WriteFile(name, []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), "/proc/self/exe")
	child.Env = append(os.Environ(), recordVariable+"="+name)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "recording\n" {
		t.Errorf("the child says %q, %v", line, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	if got := names(t, dir); len(got) != 1 || string(read(t, name)) != "older" {
		t.Errorf("left behind: %v, %q", got, read(t, name))
	}
}
