//go:build e2e

package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// onlyAnswers is what a network plugin makes of an ingress policy for the probe pods of a node: what its connection
// tracking does not take for an answer is dropped. Nothing but probe pods uses these ports on kn1.
const onlyAnswers = `table inet answers
delete table inet answers
table inet answers {
	chain towards {
		type filter hook forward priority filter
		tcp sport 8080 tcp dport 61000-65535 ct state established,related accept
		tcp sport { 8080, 65523, 65531, 65534 } tcp dport 61000-65535 ct state != { established, related } drop
	}
}`

// TestBehindAnIngressPolicy is why config/ has none for probe pods: segments of no connection have answers that
// connection tracking takes for invalid. They establish nothing then; all others are judged as ever.
func TestBehindAnIngressPolicy(t *testing.T) {
	s := openShop(t)
	onNode(t, "kn1", "nft -f - <<'END'\n"+onlyAnswers+"\nEND")
	t.Cleanup(func() { onNode(t, "kn1", "nft delete table inet answers") })
	p := s.probe(t, from("kn1"), asking("Push", "Data", "Fin", "Reset", "Syn", "HandshakeAck", "Null", "FinUrgPush"))
	ended(t, p, 1)
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
