//go:build envtest

package reconciler

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// These tests run against a real API server. KUBEBUILDER_ASSETS names the folder with etcd, kube-apiserver and kubectl.
// There is no scheduler, no kubelet and no garbage collector: the tests do their work (see fakenodes_envtest_test.go).

var (
	environment *envtest.Environment
	admin       *rest.Config
	kubeconfig  []byte
	scheme      = newScheme()
)

// apiServerAddress is what default/kubernetes has as its endpoint here.
const apiServerAddress = "10.99.0.1"

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
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
	crd := filepath.Join("..", "..", "config", "crd", "tcpprobe.dev_tcpprobes.yaml")
	env := &envtest.Environment{ControlPlaneStartTimeout: startPatience,
		CRDInstallOptions: envtest.CRDInstallOptions{Paths: []string{crd}, ErrorIfPathMissing: true}}
	environment = env
	env.ControlPlane.GetAPIServer().Configure().
		Set("endpoint-reconciler-type", "none").
		Append("disable-admission-plugins", "TaintNodesByCondition") // no controller would remove the taint
	defer func() {
		if stop := env.Stop(); err == nil && stop != nil {
			err = fmt.Errorf("stop the API server: %w", stop)
		}
	}()
	if admin, err = env.Start(); err != nil {
		return 0, fmt.Errorf("start the API server (KUBEBUILDER_ASSETS=%q must hold etcd, kube-apiserver and kubectl): %w",
			os.Getenv("KUBEBUILDER_ASSETS"), err)
	}
	admin.QPS = -1
	kubeconfig = env.KubeConfig
	api, err := client.New(admin, client.Options{Scheme: scheme})
	if err != nil {
		return 0, err
	}
	if err := createSharedObjects(api); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			panic(err)
		}
	}
	return s
}

// createSharedObjects creates what the tests share: three nodes, the PriorityClass, and the API server's own endpoint.
func createSharedObjects(api client.Client) error {
	objects := []client.Object{
		&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "tcpprobe-prober"}, Value: -1,
			PreemptionPolicy: ptr.To(corev1.PreemptNever)},
		controllertest.Slice("default", "kubernetes", "", nil, apiServerAddress),
	}
	for i := range 3 {
		objects = append(objects, controllertest.Node(fmt.Sprintf("kn%d", i+1), fmt.Sprintf("192.168.7.%d", i+1)))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, o := range objects {
		status := o.DeepCopyObject().(client.Object)
		if err := api.Create(ctx, o); err != nil {
			return err
		}
		if n, ok := status.(*corev1.Node); ok {
			n.ResourceVersion = o.GetResourceVersion()
			if err := api.Status().Update(ctx, n); err != nil {
				return err
			}
		}
	}
	return nil
}
