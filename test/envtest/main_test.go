//go:build envtest

// Package envtest applies the manifests of config/ to a real API server. It tests what the API server refuses,
// defaults, prints and allows the manager. KUBEBUILDER_ASSETS names the folder with etcd, kube-apiserver and kubectl.
package envtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

const config = "../../config"

var crdFile = filepath.Join(config, "crd", "tcpprobe.dev_tcpprobes.yaml")

// TestMain sets these up: an API server with the CRD, and clients of its administrator.
var (
	admin      *rest.Config
	api        client.Client // refuses unknown fields, as kubectl does
	kubeconfig string
)

func TestMain(m *testing.M) {
	code, err := withServer(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "envtest:", err)
		os.Exit(2)
	}
	os.Exit(code)
}

// startPatience is how long the API server may take to start on a busy machine.
const startPatience = 3 * time.Minute

func withServer(m *testing.M) (code int, err error) {
	env := &envtest.Environment{ControlPlaneStartTimeout: startPatience, CRDInstallOptions: envtest.CRDInstallOptions{
		Paths: []string{crdFile}, ErrorIfPathMissing: true,
	}}
	defer func() {
		if stop := env.Stop(); err == nil && stop != nil {
			err = fmt.Errorf("stop the API server: %w", stop)
		}
	}()
	if admin, err = env.Start(); err != nil {
		return 0, fmt.Errorf("start the API server (KUBEBUILDER_ASSETS=%q must hold etcd, kube-apiserver and kubectl): %w",
			os.Getenv("KUBEBUILDER_ASSETS"), err)
	}
	if api, err = connect(admin); err != nil {
		return 0, err
	}
	if kubeconfig, err = writeKubeconfig(env); err != nil {
		return 0, err
	}
	defer os.Remove(kubeconfig)
	return m.Run(), nil
}

func connect(c *rest.Config) (client.Client, error) {
	s := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(s); err != nil {
		return nil, err
	}
	if err := v1alpha1.AddToScheme(s); err != nil {
		return nil, err
	}
	c = rest.CopyConfig(c)
	c.QPS = -1
	k, err := client.New(c, client.Options{Scheme: s})
	if err != nil {
		return nil, err
	}
	return client.WithFieldValidation(k, client.FieldValidation(metav1.FieldValidationStrict)), nil
}

func writeKubeconfig(env *envtest.Environment) (string, error) {
	f, err := os.CreateTemp("", "tcpprobe-envtest-*.kubeconfig")
	if err != nil {
		return "", err
	}
	defer f.Close()
	_, err = f.Write(env.KubeConfig)
	return f.Name(), err
}

// kubectl runs the real kubectl and returns its standard output.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("kubectl %v: %v\n%s", args, err, errs.String())
	}
	return out.String()
}

// namespace creates a namespace for one test. It is not deleted, because the API server ends with the tests.
func namespace(t *testing.T) string {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := api.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	return ns.Name
}

// create is a dry run: it sets the defaults in o as the API server would, and stores nothing.
func create(ctx context.Context, o *unstructured.Unstructured) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return api.Create(ctx, o, client.DryRunAll)
}
