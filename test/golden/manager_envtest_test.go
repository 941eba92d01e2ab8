//go:build envtest

package golden

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	managerNamespace = "tcpprobe-system"
	probeNamespace   = "tcpprobe-probes"
	managerAccount   = "system:serviceaccount:" + managerNamespace + ":manager"
)

var managerGroups = []string{
	"system:serviceaccounts", "system:serviceaccounts:" + managerNamespace, "system:authenticated",
}

// startManager runs a manager with its shipped rights until the test ends or stop is called.
func (c *cluster) startManager(t *testing.T, path string, flags ...string) (stop func()) {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(c.kubeconfig(), kubeconfig); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, append([]string{
		"--namespace=" + managerNamespace, "--prober-image=localhost/tcpprobe:dev", "--health-probe-bind-address=0",
	}, flags...)...)
	command.Env = []string{"KUBECONFIG=" + kubeconfig}
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	running := true
	stop = func() {
		if !running {
			return
		}
		running = false
		_ = command.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the manager: %v", err)
			}
		case <-time.After(time.Minute):
			_ = command.Process.Kill()
			t.Error("the manager does not stop")
		}
		if t.Failed() {
			t.Logf("the manager's log:\n%s", log.String())
		}
	}
	t.Cleanup(stop)
	return stop
}

// asManager is a client with the rights of the manager's service account.
func (c *cluster) asManager() (client.Client, error) {
	config := rest.CopyConfig(c.admin)
	config.Impersonate = rest.ImpersonationConfig{UserName: managerAccount, Groups: managerGroups}
	return client.New(config, client.Options{Scheme: c.api.Scheme()})
}

// kubeconfig is the administrator's. It impersonates the manager's service account.
func (c *cluster) kubeconfig() clientcmdapi.Config {
	return clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{
			"golden": {Server: c.admin.Host, CertificateAuthorityData: c.admin.CAData},
		},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{"manager": {
			ClientCertificateData: c.admin.CertData, ClientKeyData: c.admin.KeyData, Impersonate: managerAccount,
			ImpersonateGroups: managerGroups,
		}},
		Contexts:       map[string]*clientcmdapi.Context{"golden": {Cluster: "golden", AuthInfo: "manager"}},
		CurrentContext: "golden",
	}
}
