package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// controlPlane is a real control plane on loopback. Its API server logs each write of the manager.
type controlPlane struct {
	folder    string // of credentials, logs and the database; removed at the end
	programs  string
	url       string
	admin     *rest.Config
	api       client.WithWatch
	processes []*process
}

const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: None
  verbs: [get, list, watch]
- level: Metadata
  users: ["` + managerUser + `"]
- level: None
`

func (c *controlPlane) file(name ...string) string {
	return filepath.Join(append([]string{c.folder}, name...)...)
}

// startControlPlane starts the programs that test/cluster/build.sh built.
func startControlPlane(ctx context.Context, programs string) (c *controlPlane, err error) {
	folder, err := newFolder()
	if err != nil {
		return nil, err
	}
	c = &controlPlane{folder: folder, programs: programs}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	ports, err := freePorts(3)
	if err != nil {
		return c, err
	}
	etcd, peers := fmt.Sprintf("http://127.0.0.1:%d", ports[0]), fmt.Sprintf("http://127.0.0.1:%d", ports[2])
	c.url = fmt.Sprintf("https://127.0.0.1:%d", ports[1])
	if err := c.credentials(ctx); err != nil {
		return c, err
	}
	if err := c.run("etcd", c.etcd(etcd, peers)...); err != nil {
		return c, err
	}
	if err := c.run("kube-apiserver", c.apiServer(etcd, ports[1])...); err != nil {
		return c, err
	}
	if err := c.wait(ctx, "the API server", time.Minute, c.ready); err != nil {
		return c, err
	}
	if err := c.run("kube-controller-manager", c.controllerManager()...); err != nil {
		return c, err
	}
	scheduler := c.file("pki", "scheduler.kubeconfig")
	if err := c.run("kube-scheduler", "--kubeconfig="+scheduler,
		"--authentication-kubeconfig="+scheduler, "--authorization-kubeconfig="+scheduler,
		"--secure-port=0", "--leader-elect=false", "--kube-api-qps=500", "--kube-api-burst=1000"); err != nil {
		return c, err
	}
	return c, nil
}

func (c *controlPlane) etcd(clients, peers string) []string {
	return []string{
		"--name=only", "--data-dir=" + c.file("etcd"), "--log-level=warn",
		"--unsafe-no-fsync=true", // it runs for minutes only
		"--listen-client-urls=" + clients, "--advertise-client-urls=" + clients, "--listen-peer-urls=" + peers,
	}
}

func (c *controlPlane) controllerManager() []string {
	manager := c.file("pki", "controller-manager.kubeconfig")
	return []string{
		"--kubeconfig=" + manager, "--authentication-kubeconfig=" + manager, "--authorization-kubeconfig=" + manager,
		"--controllers=garbage-collector-controller,endpointslice-controller,namespace-controller,serviceaccount-controller",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + c.file("pki", "service-account.key"),
		"--secure-port=0", "--leader-elect=false", "--kube-api-qps=500", "--kube-api-burst=1000",
	}
}

func (c *controlPlane) apiServer(etcd string, port int) []string {
	return []string{
		"--etcd-servers=" + etcd, "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port),
		"--endpoint-reconciler-type=none", // the others accept no loopback address
		"--tls-cert-file=" + c.file("pki", "apiserver.crt"), "--tls-private-key-file=" + c.file("pki", "apiserver.key"),
		"--client-ca-file=" + c.file("pki", "ca.crt"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.file("pki", "service-account.pub"),
		"--service-account-signing-key-file=" + c.file("pki", "service-account.key"),
		"--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=RBAC", "--allow-privileged=true",
		"--disable-admission-plugins=TaintNodesByCondition", // no controller here would remove the taints again
		"--audit-policy-file=" + c.file("audit.yaml"), "--audit-log-path=" + c.file("audit.log"), "--audit-log-maxsize=10000",
		"--profiling=false",
	}
}

// credentials are made by the test cluster's tool.
func (c *controlPlane) credentials(ctx context.Context) error {
	if err := os.Mkdir(c.file("pki"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(c.file("audit.yaml"), []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "go", "run", "./test/cluster/tools/pki", "-folder", c.file("pki"),
		"-server", c.url, "-names", "127.0.0.1")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("make credentials: %w\n%s", err, output)
	}
	var err error
	if c.admin, err = clientcmd.BuildConfigFromFlags("", c.file("pki", "admin.kubeconfig")); err != nil {
		return err
	}
	c.admin.QPS = -1 // the API server is ours
	return v1alpha1.AddToScheme(scheme.Scheme)
}

func (c *controlPlane) run(program string, arguments ...string) error {
	p, err := start(c.folder, program, filepath.Join(c.programs, program), arguments...)
	if err == nil {
		c.processes = append(c.processes, p)
	}
	return err
}

// ready is what is missing until the API server answers and has the roles. Without them the controller manager exits.
func (c *controlPlane) ready(ctx context.Context) (string, error) {
	if err := c.kubectl(ctx, "get", "--raw", "/readyz"); err != nil {
		return err.Error(), nil //nolint:nilerr // the caller waits until it is gone
	}
	api, err := client.NewWithWatch(c.admin, client.Options{})
	c.api = api
	return "", err
}

func (c *controlPlane) kubectl(ctx context.Context, arguments ...string) error {
	command := exec.CommandContext(ctx, filepath.Join(c.programs, "kubectl"),
		append([]string{"--kubeconfig", c.file("pki", "admin.kubeconfig")}, arguments...)...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %v: %w\n%s", arguments, err, output)
	}
	return nil
}

// wait calls missing four times a second until it returns "". Every ten seconds it prints what is still missing.
func (c *controlPlane) wait(
	ctx context.Context, what string, limit time.Duration, missing func(context.Context) (string, error),
) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("gave up waiting for %s after %v", what, limit))
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	told := time.Now()
	for {
		m, err := missing(ctx)
		if err == nil && m == "" {
			return nil
		}
		for _, p := range c.processes {
			if dead := p.alive(); dead != nil {
				return dead
			}
		}
		if time.Since(told) > 10*time.Second {
			say("  %s: %s", what, m)
			told = time.Now()
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%w: %s", context.Cause(ctx), m), err)
		case <-tick.C:
		}
		if err != nil {
			return err
		}
	}
}

// stop ends everything, youngest first, and removes what it wrote.
func (c *controlPlane) stop() {
	for _, p := range slices.Backward(c.processes) {
		p.stop()
	}
	if err := os.RemoveAll(c.folder); err != nil {
		say("scale: %v; remove it by hand", err)
	}
}

func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() //nolint:gocritic // all stay open until the end, so that no port is given twice
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
