//go:build envtest

package golden

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// cluster is a real API server with config/default installed, and three Node objects. There are no kubelets and no
// controllers. KUBEBUILDER_ASSETS names the folder with etcd, kube-apiserver and kubectl.
type cluster struct {
	admin *rest.Config
	api   client.WithWatch
	etcd  string // URL
}

// sharedCluster is started by the first test that needs it.
var sharedCluster = sync.OnceValues(startCluster)

func connect(t *testing.T) *cluster {
	t.Helper()
	c, err := sharedCluster()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// startPatience is how long the API server may take to start on a busy machine.
const startPatience = 3 * time.Minute

func startCluster() (*cluster, error) {
	log.SetLogger(logr.Discard())
	env := &envtest.Environment{ControlPlaneStartTimeout: startPatience}
	env.ControlPlane.GetAPIServer().Configure().
		Set("endpoint-reconciler-type", "none").
		Append("disable-admission-plugins", "TaintNodesByCondition") // no controller would remove the taint
	admin, err := env.Start()
	if err != nil {
		return nil, fmt.Errorf("start the API server of KUBEBUILDER_ASSETS: %w", err)
	}
	atEnd = append(atEnd, func() {
		if err := env.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "golden: stop the API server:", err)
		}
	})
	admin.QPS = -1
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, err
	}
	api, err := client.NewWithWatch(admin, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	c := &cluster{admin: admin, api: api, etcd: env.ControlPlane.Etcd.URL.String()}
	return c, errors.Join(c.install(env.KubeConfig), c.applyFile("testdata/cluster/nodes.yaml", ""))
}

// install installs config/default with an image, as a user does.
func (c *cluster) install(kubeconfig []byte) error {
	folder, err := os.MkdirTemp("", "tcpprobe-golden-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		return err
	}
	kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	for _, arguments := range [][]string{
		{"apply", "--server-side", "--kustomize", root + "/test/cluster/operator"},
		{"wait", "--for=condition=Established", "--timeout=1m", "crd/tcpprobes.tcpprobe.dev"},
	} {
		command := exec.Command(kubectl, append([]string{"--kubeconfig", file}, arguments...)...)
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("kubectl %v: %w\n%s", arguments, err, output)
		}
	}
	return nil
}

// store writes an object of a custom resource to etcd, so that it keeps its UID.
func (c *cluster) store(o *unstructured.Unstructured) error {
	value, err := json.Marshal(o.Object)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("/registry/%s/%s/%s/%s", o.GroupVersionKind().Group, "tcpprobes", o.GetNamespace(), o.GetName())
	request, err := json.Marshal(map[string]string{
		"key": base64.StdEncoding.EncodeToString([]byte(key)), "value": base64.StdEncoding.EncodeToString(value),
	})
	if err != nil {
		return err
	}
	answer, err := http.Post(c.etcd+"/v3/kv/put", "application/json", bytes.NewReader(request))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd: %s", answer.Status)
	}
	return nil
}
