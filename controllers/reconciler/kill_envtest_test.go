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
	env := newTestEnvWithPods(t)
	install(t)
	env.probes = "tcpprobe-probes"
	m := &process{T: t, binary: build(t), kubeconfig: serviceAccount(t)}
	t.Cleanup(m.kill)
	m.start()
	for _, n := range controllertest.ThreeNodes { // long enough for a kill during the run
		env.nodes.behaviour[n] = passAtTry(200)
	}
	p, inside := env.probe(), 0
	for number := int64(1); number <= runs; number++ {
		for range killsPerRun {
			moment := time.Now().Add(rand.N(2 * time.Second))
			env.eventually("the moment to kill it", func() bool { return time.Now().After(moment) })
			m.kill()
			if env.get(p).Status.ActiveRun != nil {
				inside++
			}
			m.start()
		}
		env.eventually(fmt.Sprint("the end of run ", number), func() bool { return runEnded(number)(env.get(p)) })
		if last := env.get(p).Status.LastRun; last.Verdict != "Pass" || last.Reported != 3 {
			t.Errorf("run %d: %+v, findings %+v", number, last, env.get(p).Status.Findings)
		}
		if number < runs {
			env.edit(p, runAgain(fmt.Sprint(number)))
		}
	}
	t.Logf("%d of %d kills fell into a run", inside, runs*killsPerRun)
	if inside == 0 {
		t.Error("no kill fell into a run, so this test shows nothing")
	}
	if n := env.nodes.requireOneRunEach(); n != 3*runs {
		t.Errorf("%d probers ran; want %d", n, 3*runs)
	}
	env.delete(p)
	env.eventually("everything to be deleted", func() bool { return len(env.proberPods())+len(env.plans()) == 0 })
}

// install applies the manifests of config/ with an image, as a user would.
func install(t *testing.T) {
	t.Helper()
	admin := filepath.Join(t.TempDir(), "admin.kubeconfig")
	if err := os.WriteFile(admin, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	kubectl := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), "apply",
		"--server-side", "--force-conflicts", "-k", filepath.Join("..", "..", "test", "cluster", "operator"))
	kubectl.Env = append(os.Environ(), "KUBECONFIG="+admin)
	if out, err := kubectl.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "manager")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/manager")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build the manager: %v\n%s", err, out)
	}
	return binary
}

// serviceAccount is a kubeconfig with the name of the manager's service account. It has that account's rights and no
// others.
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
		"--prober-image=localhost/tcpprobe:dev",
		"--prober-pull-policy=Never", "--health-probe-bind-address=0", "--metrics-bind-address=0")
	p.cmd.Env = append(os.Environ(), "KUBECONFIG="+p.kubeconfig)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		p.Fatal(err)
	}
}

// kill ends the process with SIGKILL. If the test has failed, it shows the manager's log.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.cmd = nil
	if p.Failed() {
		if _, err := p.log.Seek(0, io.SeekStart); err == nil {
			text, _ := io.ReadAll(p.log)
			p.Logf("the manager's log:\n%s", text)
		}
	}
	p.log.Close()
}
