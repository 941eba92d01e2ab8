package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"
)

const (
	managerUser    = "system:serviceaccount:tcpprobe-system:manager"
	managerProgram = "bin/manager"
)

// install installs the operator as a user does. The manager runs outside the cluster, with a token of its service
// account.
func (c *controlPlane) install(ctx context.Context) error {
	if err := c.kubectl(ctx, "apply", "--server-side", "-k", "test/cluster/operator"); err != nil {
		return err
	}
	if output, err := exec.CommandContext(ctx, "go", "build", "-o", "bin/", "./cmd/manager").CombinedOutput(); err != nil {
		return fmt.Errorf("build the manager: %w\n%s", err, output)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "tcpprobe-system", Name: "manager"}}
	token := &authenticationv1.TokenRequest{}
	token.Spec.ExpirationSeconds = ptr.To[int64](2 * 60 * 60)
	if err := c.api.SubResource("token").Create(ctx, account, token); err != nil {
		return fmt.Errorf("a token for the manager: %w", err)
	}
	authority, err := os.ReadFile(c.file("pki", "ca.crt"))
	if err != nil {
		return err
	}
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"scale": {Server: c.url, CertificateAuthorityData: authority}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"manager": {Token: token.Status.Token}},
		Contexts:       map[string]*clientcmdapi.Context{"scale": {Cluster: "scale", AuthInfo: "manager"}},
		CurrentContext: "scale",
	}, c.file("manager.kubeconfig"))
}

// startManager runs the manager as it is shipped, with its default bounds. It is the only one, so it always leads.
func (c *controlPlane) startManager() (*process, error) {
	return start(c.folder, "manager", "env", "KUBECONFIG="+c.file("manager.kubeconfig"), managerProgram,
		"--namespace=tcpprobe-system", "--prober-image=localhost/tcpprobe:dev", "--leader-elect",
		"--metrics-bind-address=0", "--health-probe-bind-address=0")
}
