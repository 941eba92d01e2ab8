//go:build e2e

package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// dropUntracked has the firewall rules that a network plugin makes of an ingress policy for the probe pods of a node.
// They drop what connection tracking does not take for an answer. On kn1 only probe pods use these ports.
const dropUntracked = `table inet answers
delete table inet answers
table inet answers {
	chain towards {
		type filter hook forward priority filter
		tcp sport 8080 tcp dport 61000-65535 ct state established,related accept
		tcp sport { 8080, 65523, 65531, 65534 } tcp dport 61000-65535 ct state != { established, related } drop
	}
}`

// TestBehindAnIngressPolicy shows why config/ has no ingress policy for probe pods: connection tracking takes answers
// to segments without a connection for invalid. Their variants are Inconclusive then. All others are judged as usual.
func TestBehindAnIngressPolicy(t *testing.T) {
	s := newTenant(t)
	onNode(t, "kn1", "nft -f - <<'END'\n"+dropUntracked+"\nEND")
	t.Cleanup(func() { onNode(t, "kn1", "nft delete table inet answers") })
	p := s.probe(t, fromNodes("kn1"), withVariants("Push", "Data", "Fin", "Reset", "Syn", "HandshakeAck", "Null",
		"FinUrgPush"))
	waitForRun(t, p, 1)
	expectUndecided(t, p)
	for _, f := range p.Status.Findings {
		if f.Reason != string(report.StateTracking) {
			t.Errorf("finding %s: %s", f.Reason, f.Message)
		}
		for _, v := range f.Variants {
			if v != "Null" && v != "FinUrgPush" {
				t.Errorf("variant %s came to no verdict", v)
			}
		}
	}
	c := condition(p, v1alpha1.ConditionPathHealthy)
	if c.Status != metav1.ConditionUnknown || !strings.Contains(c.Message, "Null") {
		t.Errorf("PathHealthy %s: %s", c.Status, c.Message)
	}
}
