//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

const probeNamespace = "tcpprobe-probes"

// probe applies a TCPProbe of the shop's Service, changed by the options; it has the Service's name.
func (s shop) probe(t *testing.T, options ...func(*v1alpha1.TCPProbeSpec)) *v1alpha1.TCPProbe {
	t.Helper()
	p := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace}}
	p.Spec.Target.Service = &v1alpha1.ServiceTarget{Name: "web"}
	for _, option := range options {
		option(&p.Spec)
	}
	p.Name = p.Spec.Target.Service.Name
	create(t, p)
	return p
}

// Options of a TCPProbe.

func over(family v1alpha1.IPFamily) func(*v1alpha1.TCPProbeSpec) {
	return func(s *v1alpha1.TCPProbeSpec) { s.Target.Service.Families = []v1alpha1.IPFamily{family} }
}

func from(nodes ...string) func(*v1alpha1.TCPProbeSpec) {
	return func(s *v1alpha1.TCPProbeSpec) {
		s.Sources.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{
			{Key: corev1.LabelHostname, Operator: metav1.LabelSelectorOpIn, Values: nodes},
		}
	}
}

// slowly makes a run long enough to be disturbed: it sends ten packets a second to each endpoint.
func slowly(s *v1alpha1.TCPProbeSpec) { s.PacketsPerSecond = 10 }

// again asks for another run.
func again(t *testing.T, p *v1alpha1.TCPProbe, value string) {
	t.Helper()
	before := p.DeepCopy()
	metav1.SetMetaDataAnnotation(&p.ObjectMeta, v1alpha1.RunAnnotation, value)
	if err := cluster.client.Patch(t.Context(), p, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// ended waits for the end of a run and shows what it found.
func ended(t *testing.T, p *v1alpha1.TCPProbe, number int64) {
	t.Helper()
	eventually(t, func() string {
		refresh(t, p)
		if p.Status.LastRun == nil || p.Status.LastRun.Number < number {
			return fmt.Sprintf("run %d has not ended: %s", number, condition(p, v1alpha1.ConditionComplete).Message)
		}
		return ""
	})
	if p.Status.LastRun.Number != number {
		t.Fatalf("the last run is number %d, and %d was expected", p.Status.LastRun.Number, number)
	}
	healthy := condition(p, v1alpha1.ConditionPathHealthy)
	t.Logf("run %d: %s %s, affected %s: %s", number, healthy.Status, healthy.Reason, p.Status.Affected, healthy.Message)
}

func refresh(t *testing.T, p *v1alpha1.TCPProbe) {
	t.Helper()
	if err := cluster.client.Get(t.Context(), client.ObjectKeyFromObject(p), p); err != nil {
		t.Fatal(err)
	}
}

func condition(p *v1alpha1.TCPProbe, name string) metav1.Condition {
	if c := meta.FindStatusCondition(p.Status.Conditions, name); c != nil {
		return *c
	}
	return metav1.Condition{Status: metav1.ConditionUnknown, Message: "no condition " + name}
}

func expectHealth(t *testing.T, p *v1alpha1.TCPProbe, status metav1.ConditionStatus, reason string) {
	t.Helper()
	if c := condition(p, v1alpha1.ConditionPathHealthy); c.Status != status || c.Reason != reason {
		t.Errorf("PathHealthy is %s %s, want %s %s: %s", c.Status, c.Reason, status, reason, c.Message)
	}
}

func expectCovered(t *testing.T, p *v1alpha1.TCPProbe, status metav1.ConditionStatus, reason string) {
	t.Helper()
	if c := condition(p, v1alpha1.ConditionCovered); c.Status != status || c.Reason != reason {
		t.Errorf("Covered is %s %s, want %s %s: %s", c.Status, c.Reason, status, reason, c.Message)
	}
}

// hindered waits until a run says why it does not end.
func hindered(t *testing.T, p *v1alpha1.TCPProbe, reason string) {
	t.Helper()
	eventually(t, func() string {
		refresh(t, p)
		c := condition(p, v1alpha1.ConditionComplete)
		if c.Status != metav1.ConditionFalse || c.Reason != reason {
			return fmt.Sprintf("Complete is %s %s, and %s was expected: %s", c.Status, c.Reason, reason, c.Message)
		}
		t.Logf("%s: %s", c.Reason, c.Message)
		return ""
	})
}

// expectUndecided: a prober that was cut short is no failure of the path, and no health either.
func expectUndecided(t *testing.T, p *v1alpha1.TCPProbe) {
	t.Helper()
	if c := condition(p, v1alpha1.ConditionPathHealthy); c.Status != metav1.ConditionUnknown {
		t.Errorf("PathHealthy is %s after a run that was cut short: %s", c.Status, c.Message)
	}
	for _, f := range p.Status.Findings {
		if f.Verdict != string(report.Inconclusive) {
			t.Errorf("finding %s %s: %s", f.Verdict, f.Reason, f.Message)
		}
	}
}

// probePods are a TCPProbe's pods that exist now.
func probePods(t *testing.T, p *v1alpha1.TCPProbe) []corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	err := cluster.client.List(t.Context(), &pods, client.InNamespace(probeNamespace),
		client.MatchingLabels{"tcpprobe.dev/probe-uid": string(p.UID)})
	if err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

// running waits until a probe pod on a node sends packets.
func running(t *testing.T, p *v1alpha1.TCPProbe, node string) (found corev1.Pod) {
	t.Helper()
	eventually(t, func() string {
		for _, pod := range probePods(t, p) {
			if pod.Spec.NodeName == node && sending(pod) {
				found = pod
				return ""
			}
		}
		return "no probe pod runs on " + node
	})
	return found
}

// sending: the phase alone stays Running for a moment after the container has ended.
func sending(pod corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && len(pod.Status.ContainerStatuses) == 1 &&
		pod.Status.ContainerStatuses[0].State.Running != nil
}
