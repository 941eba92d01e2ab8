//go:build e2e && bench

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

const (
	benchRuns = 10
	benchFile = "dist/bench-cluster.json"
)

// figure is a measured value, over benchRuns runs.
type figure struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Aim    float64 `json:"aim"`
}

// TestBench prints a table and writes it as JSON. It fails only if something cannot be measured. A slow figure is no
// failure.
func TestBench(t *testing.T) {
	s := newTenant(t)
	var verdict, processor, memory []float64
	for i := range benchRuns {
		fmt.Fprintf(os.Stderr, "bench: run %d of %d\n", i+1, benchRuns)
		verdict = append(verdict, applyToVerdict(t, s, i).Seconds())
		milliseconds, mebibytes := oneFlow(t, s)
		processor, memory = append(processor, milliseconds), append(memory, mebibytes)
	}
	show(t, []figure{
		summarize("kubectl apply to verdict in status (3 nodes, 6 endpoints, 16 paths)", "s", 3, verdict),
		summarize("prober's processor time (both scenarios, 1 flow)", "ms", 40, processor),
		summarize("prober's resident memory (both scenarios, 1 flow)", "MiB", 25, memory),
	})
}

func summarize(name, unit string, aim float64, values []float64) figure {
	slices.Sort(values)
	middle := (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	return figure{name, unit, middle, values[0], values[len(values)-1], aim}
}

func show(t *testing.T, figures []figure) {
	t.Helper()
	fmt.Printf("%-70s %9s %9s %9s %9s\n", fmt.Sprintf("%d runs", benchRuns), "median", "min", "max", "aim")
	for _, f := range figures {
		fmt.Printf("%-70s %9.3g %9.3g %9.3g %9.3g  %s\n", f.Name, f.Median, f.Min, f.Max, f.Aim, f.Unit)
	}
	file, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(benchFile, append(file, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	fmt.Println("The same as JSON:", benchFile)
}

// applyToVerdict is the time from the start of kubectl to the end of a run that passes.
func applyToVerdict(t *testing.T, s tenant, i int) time.Duration {
	t.Helper()
	p := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: fmt.Sprint("web-", i)}}
	manifest := filepath.Join(t.TempDir(), "probe.yaml")
	content := fmt.Sprintf("{apiVersion: tcpprobe.dev/v1alpha1, kind: TCPProbe, "+
		"metadata: {namespace: %s, name: %s}, spec: {target: {service: {name: web}}}}",
		p.Namespace, p.Name)
	if err := os.WriteFile(manifest, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	events, err := cluster.client.Watch(t.Context(), &v1alpha1.TCPProbeList{}, client.InNamespace(s.namespace),
		client.MatchingFields{"metadata.name": p.Name})
	if err != nil {
		t.Fatal(err)
	}
	defer events.Stop()
	start := time.Now()
	apply := exec.Command(kubectl(), "--kubeconfig", cluster.Kubeconfig, "apply", "-f", manifest)
	if output, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("kubectl apply: %v\n%s", err, output)
	}
	for event := range events.ResultChan() {
		p, ok := event.Object.(*v1alpha1.TCPProbe)
		if !ok || p.Status.LastRun == nil {
			continue
		}
		took := time.Since(start)
		expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
		return took
	}
	t.Fatal("the watch ended before the run")
	return 0
}

// oneFlow runs the prober once in the network of kn1's web server against kn2's. It returns the processor time of
// supervisor and worker, and the resident memory of the larger of them. GNU time measures the memory: the kernel
// counts this process's own memory for a child, until the child calls exec.
func oneFlow(t *testing.T, s tenant) (milliseconds, mebibytes float64) {
	t.Helper()
	folder := t.TempDir()
	address := netip.MustParseAddr(s.server(t, "kn2").Status.PodIP)
	file, err := json.Marshal(plan.Plan{
		APIVersion: plan.APIVersion, Run: "bench", Probe: s.namespace + "/bench",
		Targets:   []plan.Target{{Address: address, Port: 8080, Via: "PodIP", Node: "kn2"}},
		Sources:   map[string][]int{"kn1": {0}},
		Scenarios: []plan.Scenario{{Type: "Handshake"}, {Type: "SequenceWrap", Variants: []string{"Push"}}},
		Paths:     1, PacketsPerSecond: 2000, DeadlineSeconds: 50, Alpha: 1e-6,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "plan.json"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	prober, _ := filepath.Glob("bin/linux-*/prober")
	resident := filepath.Join(folder, "resident")
	command := exec.Command("nsenter", "--net="+networkOf(t, s), "time", "--format=%M", "--output="+resident,
		cmp.Or(prober...), "--plan="+filepath.Join(folder, "plan.json"),
		"--source=kn1", "--summary="+filepath.Join(folder, "summary"))
	output, err := command.Output()
	if err != nil || !strings.Contains(string(output), `"verdict":"Pass"`) ||
		strings.Contains(string(output), `"verdict":"Fail"`) {
		t.Fatalf("the prober: %v\n%s", err, output)
	}
	used, err := os.ReadFile(resident)
	if err != nil {
		t.Fatal(err)
	}
	kibibytes, err := strconv.Atoi(strings.TrimSpace(string(used)))
	if err != nil {
		t.Fatal(err)
	}
	state := command.ProcessState
	return (state.UserTime() + state.SystemTime()).Seconds() * 1000, float64(kibibytes) / 1024
}

// networkOf is the path, on this machine, of the network namespace of kn1's web server.
func networkOf(t *testing.T, s tenant) string {
	t.Helper()
	init, err := exec.Command("test/cluster/node-pid.sh", "1").Output()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/proc/%s/root/proc/%s/ns/net", strings.TrimSpace(string(init)), processOf(t, s.server(t, "kn1")))
}
