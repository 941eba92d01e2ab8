//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func viaPodIPAndClusterIP(s *v1alpha1.TCPProbeSpec) {
	s.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP}
}

// TestViaClusterIP: probes pass through kube-proxy's translation in both families. What the network drops is found
// behind it. If somebody adds a slice, the ClusterIP is not probed any more, but the pods are.
func TestViaClusterIP(t *testing.T) {
	s := newTenant(t)
	p := s.probe(t, viaPodIPAndClusterIP)
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	message := condition(p, v1alpha1.ConditionPathHealthy).Message
	if !strings.Contains(message, "the ClusterIP answered in 6 of 6 pairs, so its segments were translated") {
		t.Errorf("message %q", message)
	}
	repair := breakCable(t, "kn2", "push-at-zero")
	runAgain(t, p, "broken")
	waitForRun(t, p, 2)
	expectHealth(t, p, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if !affects(p, v1alpha1.ViaClusterIP, "kn2") {
		t.Errorf("nothing was found through the ClusterIP from kn2: %+v", p.Status.Findings)
	}
	repair()
	server := s.server(t, "kn1")
	create(t, &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "forged",
			Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports: []discoveryv1.EndpointPort{{Name: new("http"), Port: ptr.To[int32](10250),
			Protocol: ptr.To(corev1.ProtocolTCP)}},
		Endpoints: []discoveryv1.Endpoint{{Addresses: []string{server.Status.HostIP},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: s.namespace, Name: server.Name, UID: server.UID}}},
	})
	runAgain(t, p, "forged")
	waitForRun(t, p, 3)
	c := condition(p, v1alpha1.ConditionCovered)
	if c.Reason != v1alpha1.ReasonEndpointsRefused || !strings.Contains(c.Message, "it belongs to node kn1") ||
		p.Status.Pairs.Planned != 18 {
		t.Errorf("Covered is %s %s, %+v: %s", c.Status, c.Reason, p.Status.Pairs, c.Message)
	}
}

// affects reports whether a Fail concerns this via, alone or among others, from this node.
func affects(p *v1alpha1.TCPProbe, via v1alpha1.Via, source string) bool {
	for _, f := range p.Status.Findings {
		if f.Verdict == string(report.Fail) &&
			(f.Via == string(via) || f.Via == "") && (f.Source == source || f.Source == "") {
			return true
		}
	}
	return false
}

// TestAnotherNamespace: a Service of another namespace is probed only with its owner's consent.
func TestAnotherNamespace(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	support := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "support-"}}
	create(t, support)
	t.Cleanup(func() { _ = cluster.client.Delete(context.Background(), support) })
	p := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: support.Name, Name: "web"}}
	p.Spec.Target.Service = &v1alpha1.ServiceTarget{Name: "web", Namespace: s.namespace}
	create(t, p)
	eventually(t, func() string {
		refresh(t, p)
		if c := condition(p, v1alpha1.ConditionAccepted); c.Reason != v1alpha1.ReasonConsentMissing {
			return "not refused yet: " + c.Reason + " " + c.Message
		}
		return ""
	})
	var svc corev1.Service
	if err := cluster.client.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "web"}, &svc); err != nil {
		t.Fatal(err)
	}
	before := svc.DeepCopy()
	metav1.SetMetaDataAnnotation(&svc.ObjectMeta, v1alpha1.AllowFromAnnotation, support.Name)
	if err := cluster.client.Patch(t.Context(), &svc, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
}
