//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

const outsideAddress = "10.251.0.99" // at the switch, outside the cluster

// serveOutsideTheCluster runs a server at the switch until the test ends. The switch has routes to the pods.
func serveOutsideTheCluster(t *testing.T, port string) {
	t.Helper()
	commands := [][]string{{"address", "replace", outsideAddress + "/24", "dev", "br0"}}
	undo := []string{"address", "delete", outsideAddress + "/24", "dev", "br0"} // also deletes the routes
	for i := range cluster.Nodes {
		commands = append(commands,
			[]string{"route", "replace", fmt.Sprintf("10.244.%d.0/24", i+1), "via", fmt.Sprintf("10.251.0.1%d", i+1)})
	}
	t.Cleanup(func() { _ = exec.Command("ip", append([]string{"-n", cluster.Switch}, undo...)...).Run() })
	for _, c := range commands {
		if out, err := exec.Command("ip", append([]string{"-n", cluster.Switch}, c...)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v: %s", c, err, out)
		}
	}
	var listener net.Listener
	var err error
	inside(cluster.Switch, func() { listener, err = net.Listen("tcp4", net.JoinHostPort(outsideAddress, port)) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn); conn.Close() }()
		}
	}()
}

// TestAddressOutside: the address is probed only when the administrator has allowed it, for the namespace and for all.
// Then a fault on the path to it is found.
func TestAddressOutside(t *testing.T) {
	serveOutsideTheCluster(t, "8443")
	addManagerArgument(t, "--address-ceiling=10.251.0.0/24")
	s := newTenant(t)
	p := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "outside"}}
	p.Spec.Target.Address = &v1alpha1.AddressTarget{IP: outsideAddress, Port: 8443}
	create(t, p)
	eventually(t, func() string {
		refresh(t, p)
		if c := condition(p, v1alpha1.ConditionAccepted); c.Reason != v1alpha1.ReasonAddressNotAllowed {
			return "not refused yet: " + c.Reason + " " + c.Message
		}
		return ""
	})
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	allow := client.RawPatch("application/merge-patch+json",
		fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"10.251.0.96/28"}}}`, v1alpha1.AllowedCIDRsAnnotation))
	if err := cluster.client.Patch(t.Context(), namespace, allow); err != nil {
		t.Fatal(err)
	}
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	breakCable(t, "kn2", "push-at-zero")
	runAgain(t, p, "broken")
	waitForRun(t, p, 2)
	expectHealth(t, p, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if f := p.Status.Findings; len(f) != 1 || f[0].Source != "kn2" {
		t.Errorf("findings %+v, want one, from kn2", f)
	}
}
