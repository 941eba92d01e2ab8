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

// probe creates a TCPProbe of the tenant's Service, changed by the options. It has the Service's name.
func (s tenant) probe(t *testing.T, options ...func(*v1alpha1.TCPProbeSpec)) *v1alpha1.TCPProbe {
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

func withFamily(family v1alpha1.IPFamily) func(*v1alpha1.TCPProbeSpec) {
	return func(s *v1alpha1.TCPProbeSpec) { s.Target.Service.Families = []v1alpha1.IPFamily{family} }
}

func fromNodes(nodes ...string) func(*v1alpha1.TCPProbeSpec) {
	return func(s *v1alpha1.TCPProbeSpec) {
		s.Sources.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{
			{Key: corev1.LabelHostname, Operator: metav1.LabelSelectorOpIn, Values: nodes},
		}
	}
}

// slow makes a run long enough to be disturbed: it sends ten packets a second to each endpoint.
func slow(s *v1alpha1.TCPProbeSpec) { s.PacketsPerSecond = 10 }

// runAgain sets the run annotation, which starts another run.
func runAgain(t *testing.T, p *v1alpha1.TCPProbe, value string) {
	t.Helper()
	before := p.DeepCopy()
	metav1.SetMetaDataAnnotation(&p.ObjectMeta, v1alpha1.RunAnnotation, value)
	if err := cluster.client.Patch(t.Context(), p, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// waitForRun waits for the end of the run with this number, and logs its result.
func waitForRun(t *testing.T, p *v1alpha1.TCPProbe, number int64) {
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

// waitForReason waits until Complete has this reason, which says what the run waits for.
func waitForReason(t *testing.T, p *v1alpha1.TCPProbe, reason string) {
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

// expectUndecided fails the test if a run whose prober was killed has a verdict: it shows neither failure nor health.
func expectUndecided(t *testing.T, p *v1alpha1.TCPProbe) {
	t.Helper()
	if c := condition(p, v1alpha1.ConditionPathHealthy); c.Status != metav1.ConditionUnknown {
		t.Errorf("PathHealthy is %s after a run whose prober was killed: %s", c.Status, c.Message)
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

// waitForProber waits until a probe pod runs on the node.
func waitForProber(t *testing.T, p *v1alpha1.TCPProbe, node string) (found corev1.Pod) {
	t.Helper()
	eventually(t, func() string {
		for _, pod := range probePods(t, p) {
			if pod.Spec.NodeName == node && containerRuns(pod) {
				found = pod
				return ""
			}
		}
		return "no probe pod runs on " + node
	})
	return found
}

// containerRuns looks at the container, because the phase stays Running for a moment after the container has ended.
func containerRuns(pod corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && len(pod.Status.ContainerStatuses) == 1 &&
		pod.Status.ContainerStatuses[0].State.Running != nil
}
