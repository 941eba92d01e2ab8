//go:build envtest

package reconciler

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestManagerProcessKilled runs the manager's own program with the rights of config/rbac, kills it with SIGKILL at
// random moments during ten runs, and starts it again.
func TestManagerProcessKilled(t *testing.T) {
	const runs, killsPerRun = 10, 2
	w := furnished(t)
	install(t)
	w.probes = "tcpprobe-probes"
	m := &process{T: t, binary: build(t), kubeconfig: serviceAccount(t)}
	t.Cleanup(m.kill)
	m.start()
	for _, n := range controllertest.Three { // long enough to be killed in
		w.cast.acts[n] = patiently(200)
	}
	p, inside := w.probe(), 0
	for number := int64(1); number <= runs; number++ {
		for range killsPerRun {
			moment := time.Now().Add(rand.N(2 * time.Second))
			w.eventually("the moment to kill it", func() bool { return time.Now().After(moment) })
			m.kill()
			if w.get(p).Status.ActiveRun != nil {
				inside++
			}
			m.start()
		}
		w.eventually(fmt.Sprint("the end of run ", number), func() bool { return over(number)(w.get(p)) })
		if last := w.get(p).Status.LastRun; last.Verdict != "Pass" || last.Reported != 3 {
			t.Errorf("run %d: %+v, findings %+v", number, last, w.get(p).Status.Findings)
		}
		if number < runs {
			w.edit(p, runAgain(fmt.Sprint(number)))
		}
	}
	t.Logf("%d of %d kills fell into a run", inside, runs*killsPerRun)
	if inside == 0 {
		t.Error("no kill fell into a run: this shows nothing")
	}
	if n := w.cast.once(); n != 3*runs {
		t.Errorf("%d probers ran; want %d", n, 3*runs)
	}
	w.delete(p)
	w.eventually("everything to go", func() bool { return len(w.proberPods())+len(w.plans()) == 0 })
}

// install applies the manifests of config/, as a user would.
func install(t *testing.T) {
	t.Helper()
	admin := filepath.Join(t.TempDir(), "admin.kubeconfig")
	if err := os.WriteFile(admin, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	kubectl := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), "apply",
		"--server-side", "--force-conflicts", "-k", filepath.Join("..", "..", "config", "default"))
	kubectl.Env = append(os.Environ(), "KUBECONFIG="+admin)
	if out, err := kubectl.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "manager")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary,
		"../../cmd/manager").CombinedOutput(); err != nil {
		t.Fatalf("build the manager: %v\n%s", err, out)
	}
	return binary
}

// serviceAccount is a kubeconfig with the name of the manager's service account, and so with its rights and no others.
func serviceAccount(t *testing.T) string {
	t.Helper()
	user, err := environment.AddUser(envtest.User{
		Name:   "system:serviceaccount:tcpprobe-system:manager",
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:tcpprobe-system", "system:authenticated"},
	}, &rest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c := user.Config()
	path := filepath.Join(t.TempDir(), "manager.kubeconfig")
	if err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{"test": {Server: c.Host, CertificateAuthorityData: c.CAData}},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{"manager": {ClientCertificateData: c.CertData,
			ClientKeyData: c.KeyData}},
		Contexts:       map[string]*clientcmdapi.Context{"test": {Cluster: "test", AuthInfo: "manager"}},
		CurrentContext: "test",
	}, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// process is the manager's program.
type process struct {
	*testing.T
	binary, kubeconfig string
	cmd                *exec.Cmd
	log                *os.File
}

func (p *process) start() {
	p.Helper()
	log, err := os.CreateTemp(p.TempDir(), "manager-*.log")
	if err != nil {
		p.Fatal(err)
	}
	p.log = log
	p.cmd = exec.Command(p.binary, "--namespace=tcpprobe-system", "--probe-namespace=tcpprobe-probes",
		"--prober-image=tcpprobe.dev/tcpprobe:dev",
		"--prober-pull-policy=Never", "--health-probe-bind-address=0", "--metrics-bind-address=0")
	p.cmd.Env = append(os.Environ(), "KUBECONFIG="+p.kubeconfig)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		p.Fatal(err)
	}
}

// kill ends the process without a warning. What it said is shown if the test fails.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.cmd = nil
	if p.Failed() {
		if _, err := p.log.Seek(0, io.SeekStart); err == nil {
			said, _ := io.ReadAll(p.log)
			p.Logf("the manager said:\n%s", said)
		}
	}
	p.log.Close()
}
