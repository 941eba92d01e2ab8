//go:build e2e

// Package cluster tests that the scripts beside it leave nothing behind, whenever they are killed.
package cluster

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	patience  = 2 * time.Minute // ten times what it takes on a slow machine
	noCluster = "no cluster runs"
)

// TestKilledAnywhere kills up.sh with SIGKILL at each of its steps, as soon as it has printed the step's line. down.sh
// must then remove everything.
func TestKilledAnywhere(t *testing.T) {
	if output, _ := exec.Command("./status.sh").CombinedOutput(); !strings.Contains(string(output), noCluster) {
		t.Skip("a cluster runs on this machine, which this test would end")
	}
	before := machine(t)
	t.Cleanup(func() { down(t) })
	for _, moment := range []string{"Preparing", "Starting the control plane", "Starting 3 nodes", "The cluster is up"} {
		t.Run(moment, func(t *testing.T) {
			killAt(t, moment)
			if moment == "The cluster is up" {
				refusesSecond(t)
				defer holdOpen(t, "tcpprobe-switch")()
			}
			down(t)
			deadline := time.Now().Add(patience)
			for {
				left := difference(before, machine(t))
				if len(left) == 0 {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("not as before:\n%s", strings.Join(left, "\n"))
				}
				time.Sleep(100 * time.Millisecond) // the kernel removes namespaces in the background, without an event
			}
		})
	}
}

// killAt starts up.sh and kills it, but none of its children, when it prints a line that begins with moment.
func killAt(t *testing.T, moment string) {
	t.Helper()
	up := exec.Command("./up.sh")
	output, err := up.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		t.Log(lines.Text())
		if strings.HasPrefix(lines.Text(), moment) {
			_ = up.Process.Signal(syscall.SIGKILL)
			_ = up.Wait()
			return
		}
	}
	t.Fatalf("up.sh never said %q", moment)
}

func refusesSecond(t *testing.T) {
	t.Helper()
	output, err := exec.Command("./up.sh").CombinedOutput()
	if err == nil || !strings.Contains(string(output), "one runs already") {
		t.Errorf("a second up.sh: %v\n%s", err, output)
	}
}

// holdOpen holds a network namespace open, as the command "tcpprobe lab switch" does. The cluster must be removed all
// the same.
func holdOpen(t *testing.T, namespace string) (release func()) {
	t.Helper()
	file, err := os.Open("/run/netns/" + namespace)
	if err != nil {
		t.Fatal(err)
	}
	return func() { file.Close() }
}

func down(t *testing.T) {
	t.Helper()
	if output, err := exec.Command("./down.sh").CombinedOutput(); err != nil {
		t.Errorf("down.sh: %v\n%s", err, output)
	}
}

// machine lists what a cluster could leave behind: mounts, devices, namespaces, cgroups, folders and processes.
func machine(t *testing.T) (state []string) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	state = append(state, strings.Split(string(mounts), "\n")...)
	for _, pattern := range []string{
		"/sys/class/net/*", "/run/netns/*", "/var/lib/*", "/sys/fs/cgroup/*", "/sys/fs/cgroup/*/*",
	} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		state = append(state, paths...)
	}
	return append(state, programs()...)
}

// programs lists the processes whose command line names a file of the cluster.
func programs() (found []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		if bytes.Contains(line, []byte("/var/lib/tcpprobe-cluster")) || bytes.Contains(line, []byte("/run/cluster")) {
			found = append(found, file+": "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func difference(before, after []string) (left []string) {
	for _, line := range after {
		if !slices.Contains(before, line) {
			left = append(left, line)
		}
	}
	return left
}
