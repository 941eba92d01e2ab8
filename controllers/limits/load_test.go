package limits

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

func podWithLoad(text string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{runplan.AnnotationLoad: text}}}
}

func TestLoadIsReadAsItWasWritten(t *testing.T) {
	rp := plantest.Example([]string{"kn1"}, []string{"kn2", "kn3"})
	l := LoadOf(rp, "kn1")
	if d := cmp.Diff(l, annotatedLoad(podWithLoad(l.String()))); d != "" {
		t.Error(d)
	}
	if l.PerSecond() != 400 {
		t.Errorf("%d packets a second to two pods; want 400", l.PerSecond())
	}
	for _, text := range []string{"", "many a b"} {
		if l := annotatedLoad(podWithLoad(text)); l.PerSecond() != 0 {
			t.Errorf("%q is read as %+v", text, l)
		}
	}
}

// TestTargetsOfALoad: a pod is one target, whatever its addresses and whichever namespace probes it. Pods of the same
// name in two namespaces are two targets.
func TestTargetsOfALoad(t *testing.T) {
	rp := plantest.Example([]string{"kn1"}, []string{"kn2", "kn3"})
	second := rp.Endpoints[0]
	second.Address = netip.MustParseAddr("fd00::5")
	rp.Endpoints = append(rp.Endpoints, second, target.Endpoint{Address: netip.MustParseAddr("10.96.0.7")})
	if targetKey(rp, 0) != targetKey(rp, 2) || targetKey(rp, 0) == targetKey(rp, 1) ||
		targetKey(rp, 3) == targetKey(rp, 0) {
		t.Errorf("keys %s %s %s %s", targetKey(rp, 0), targetKey(rp, 1), targetKey(rp, 2), targetKey(rp, 3))
	}
	elsewhere := plantest.Example([]string{"kn1"}, []string{"kn2"})
	elsewhere.Target.Service.Namespace = "bank"
	if targetKey(rp, 0) == targetKey(elsewhere, 0) {
		t.Error("web-1 in shop and web-1 in bank are one target")
	}
	consenting := plantest.Example([]string{"kn1"}, []string{"kn2"})
	consenting.Plan.Probe, consenting.Target.Service.Namespace = "bank/web", "shop"
	if targetKey(rp, 0) != targetKey(consenting, 0) {
		t.Error("web-1 in shop is another target for a TCPProbe of bank")
	}
}

func TestExceeds(t *testing.T) {
	rp := plantest.Example([]string{"kn1"}, []string{"kn2", "kn3"})
	rp.Endpoints[1].Pod = rp.Endpoints[0].Pod
	for _, c := range []struct {
		caps Caps
		says string
	}{
		{Caps{NodePackets: 800, TargetPackets: 800}, ""},
		{Caps{NodePackets: 799, TargetPackets: 800},
			"packetsPerSecond 200 to 2 addresses is 400 packets a second from each node, above a namespace's half of the " +
				"manager's ceiling of 799; lower packetsPerSecond to 199, or target.service.maxEndpoints"},
		{Caps{NodePackets: 39, TargetPackets: 800}, "ceiling of 39; lower target.service.maxEndpoints"},
		{Caps{NodePackets: 800, TargetPackets: 799},
			"to 2 addresses of target web-1 is 400 packets a second, above a namespace's half of the manager's ceiling of " +
				"799; lower packetsPerSecond to 199"},
	} {
		r := c.caps.Exceeds(rp)
		switch {
		case c.says == "" && r != nil:
			t.Errorf("%+v: %v", c.caps, r)
		case c.says != "" && (r == nil || r.Reason != v1alpha1.ReasonRateAboveCeiling || !strings.Contains(r.Message,
			c.says)):
			t.Errorf("%+v: %v; want %q", c.caps, r, c.says)
		}
	}
}

// TestHowToLower: by the rate if there is one address, by the addresses if the rate would be too low, else by either.
func TestHowToLower(t *testing.T) {
	for _, c := range []struct {
		ceiling, n int
		want       string
	}{
		{400, 1, "lower packetsPerSecond to 400"},
		{20, 2, "lower packetsPerSecond to 10, or the addresses"},
		{19, 2, "lower the addresses"},
	} {
		if got := howToLower(c.ceiling, c.n, "the addresses"); got != c.want {
			t.Errorf("%d for %d: %q; want %q", c.ceiling, c.n, got, c.want)
		}
	}
}

// TestLengthOfATargetKey: every probe pod carries up to 128 keys, and all managers have to compute the same ones.
func TestLengthOfATargetKey(t *testing.T) {
	if key := targetKey(plantest.Example([]string{"kn1"}, []string{"kn2"}), 0); len(key) != 16 {
		t.Errorf("%s has %d digits", key, len(key))
	}
}
