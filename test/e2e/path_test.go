//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

var families = []v1alpha1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}

// TestOneCable: a fault on one node's cable is found on that node and on no other, as long as it lasts. One that comes
// back has an event of its own.
func TestOneCable(t *testing.T) {
	for _, family := range families {
		t.Run(string(family), func(t *testing.T) {
			s := newTenant(t)
			p := s.probe(t, withFamily(family))
			waitForRun(t, p, 1)
			expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)

			repair := breakCable(t, "kn2", "push-at-zero")
			runAgain(t, p, "broken")
			waitForRun(t, p, 2)
			expectHealth(t, p, metav1.ConditionFalse, string(report.SequenceZeroDropped))
			f := p.Status.Findings
			if len(f) != 1 || f[0].Scope != v1alpha1.ScopeTopology || f[0].Source != "kn2" || f[0].Pairs != 4 {
				t.Errorf("findings %+v, want one, of the cable of kn2", f)
			}
			want := v1alpha1.PairCounts{Planned: 9, Fail: 4, Pass: 5, SameNode: 3}
			if *p.Status.Pairs != want {
				t.Errorf("pairs %+v, want %+v: 4 of 6 cross the broken cable, 3 cross none", *p.Status.Pairs, want)
			}

			repair()
			runAgain(t, p, "repaired")
			waitForRun(t, p, 3)
			expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)

			breakCable(t, "kn2", "push-at-zero")
			runAgain(t, p, "broken again")
			waitForRun(t, p, 4)
			expectEvents(t, p, string(report.SequenceZeroDropped), 2)
		})
	}
}

// expectEvents waits for so many events of that reason about the probe, none of them a repeat of another.
func expectEvents(t *testing.T, p *v1alpha1.TCPProbe, reason string, want int) {
	t.Helper()
	eventually(t, func() string {
		var events eventsv1.EventList
		if err := cluster.client.List(t.Context(), &events, client.InNamespace(p.Namespace)); err != nil {
			return err.Error()
		}
		found := 0
		for _, e := range events.Items {
			if e.Regarding.UID == p.UID && e.Reason == reason && e.Series == nil {
				found++
			}
		}
		if found != want {
			return fmt.Sprintf("%d events of %s that are no repeats, want %d", found, reason, want)
		}
		return ""
	})
}

// expectOnlyNode fails the test if a finding names another node than this one, as source or as the node of the target.
func expectOnlyNode(t *testing.T, s tenant, p *v1alpha1.TCPProbe, node string) {
	t.Helper()
	server := map[string]bool{}
	for _, ip := range s.server(t, node).Status.PodIPs {
		server[ip.IP] = true
	}
	for _, f := range p.Status.Findings {
		target, _ := netip.ParseAddrPort(f.Target)
		if f.Source != node && !server[target.Addr().String()] {
			t.Errorf("finding of scope %s from %q to %q names another node than %s", f.Scope, f.Source, f.Target, node)
		}
	}
}

// TestEveryPush: a switch that drops every PSH is not reported to drop PSH at sequence number 0.
func TestEveryPush(t *testing.T) {
	p := probeAcross(t, "every-push")
	expectNoReason(t, p, report.SequenceZeroDropped)
	if status := condition(p, v1alpha1.ConditionPathHealthy).Status; status == metav1.ConditionTrue {
		t.Error("PathHealthy is True behind a switch that drops every PSH")
	}
}

// TestLossyCable: random loss is not reported as a drop at sequence number 0.
func TestLossyCable(t *testing.T) {
	expectNoReason(t, probeAcross(t, "loss=20%"), report.SequenceZeroDropped)
}

// TestDeadCable: Handshake fails as Filtered, and SequenceWrap is Inconclusive.
func TestDeadCable(t *testing.T) {
	p := probeAcross(t, "everything")
	expectHealth(t, p, metav1.ConditionFalse, string(report.Filtered))
	for _, f := range p.Status.Findings {
		want := map[string]string{"Handshake": "Fail Filtered", "SequenceWrap": "Inconclusive PathDown"}[f.Scenario]
		if found := f.Verdict + " " + f.Reason; found != want {
			t.Errorf("%s: %s, want %s", f.Scenario, found, want)
		}
	}
}

// probeAcross runs a probe once while the cable of kn2 has a fault.
func probeAcross(t *testing.T, fault string) *v1alpha1.TCPProbe {
	t.Helper()
	s := newTenant(t)
	breakCable(t, "kn2", fault)
	p := s.probe(t)
	waitForRun(t, p, 1)
	expectOnlyNode(t, s, p, "kn2")
	return p
}

func expectNoReason(t *testing.T, p *v1alpha1.TCPProbe, reason report.Reason) {
	t.Helper()
	for _, f := range p.Status.Findings {
		if f.Reason == string(reason) {
			t.Errorf("finding %s from %q to %q: %s", f.Reason, f.Source, f.Target, f.Message)
		}
	}
}
