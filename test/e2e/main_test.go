//go:build e2e

// Package e2e tests the operator on three real Kubernetes nodes, with real probe pods, over a switch that breaks on
// demand.
package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// cluster is the output of test/cluster/status.sh, and a client of the cluster.
var cluster struct {
	Kubeconfig string
	Programs   string
	Audit      string // the API server's log of the manager's requests
	Switch     string // network namespace
	Nodes      []struct{ Name, Netns, Port string }

	client client.WithWatch
}

// TestMain starts the cluster and removes it again. A cluster that runs already is used and kept. With KEEP=1 any
// cluster is kept.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if err := os.Chdir("../.."); err != nil { // scripts and manifests are named relative to the root
		return printError(err)
	}
	if script("test/cluster/status.sh", "-o", "json") != nil {
		if os.Getenv("KEEP") == "" {
			defer downWhenInterrupted()()
			defer func() { _ = script("test/cluster/down.sh") }() // it prints what failed
		}
		if err := script("test/cluster/up.sh"); err != nil {
			return printError(err)
		}
	}
	if err := connect(); err != nil {
		return printError(err)
	}
	if err := install(); err != nil {
		return printError(err)
	}
	status := m.Run()
	if status == 0 && allTestsRun() {
		if err := audit(); err != nil {
			return printError(err)
		}
	}
	return status
}

// downWhenInterrupted takes the cluster down on ^C, or when make test is ended halfway, until the returned function is
// called. It prints nothing: who read the output may have ended already, and a write would end this process too.
func downWhenInterrupted() (stop func()) {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, unix.SIGINT, unix.SIGTERM)
	go func() {
		if _, open := <-interrupted; open {
			_ = exec.Command("test/cluster/down.sh").Run()
			os.Exit(1)
		}
	}()
	return func() {
		signal.Stop(interrupted)
		close(interrupted)
	}
}

func printError(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}

func connect() error {
	description, err := exec.Command("test/cluster/status.sh", "-o", "json").Output()
	if err != nil {
		return fmt.Errorf("asking for the cluster: %w", err)
	}
	if err := json.Unmarshal(description, &cluster); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", cluster.Kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1 // the API server is ours
	if err := v1alpha1.AddToScheme(scheme.Scheme); err != nil {
		return err
	}
	cluster.client, err = client.NewWithWatch(config, client.Options{})
	return err
}

// install builds the product and installs it on the cluster as the README says.
func install() error {
	for _, command := range [][]string{
		{"build/image.sh"},
		{"go", "build", "-buildvcs=false", "-o", "bin/", "./cmd/tcpprobe"},
		{"test/cluster/load.sh", "dist/tcpprobe-image.tar"},
		{kubectl(), "apply", "-k", "test/cluster/operator"},
		{kubectl(), "-n", "tcpprobe-system", "rollout", "restart", "deployment/manager"}, // pods may run an older image
		{kubectl(), "-n", "tcpprobe-system", "rollout", "status", "deployment/manager", "--timeout=120s"},
	} {
		if err := script(command...); err != nil {
			return err
		}
	}
	return nil
}

func kubectl() string { return filepath.Join(cluster.Programs, "kubectl") }

// script runs a command and shows its output.
func script(command ...string) error {
	c := exec.Command(command[0], command[1:]...)
	c.Env = append(os.Environ(), "KUBECONFIG="+cluster.Kubeconfig)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%v: %w", command, err)
	}
	return nil
}
