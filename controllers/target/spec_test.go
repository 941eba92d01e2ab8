package target

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

var ownNamespaces = OwnNamespaces{Manager: "tcpprobe-system", Probes: "tcpprobe-probes"}

func TestSmallestSpecIsNotRefused(t *testing.T) {
	if r := specRules.refuse(specInput{controllertest.Probe(), ownNamespaces}); r != nil {
		t.Errorf("refused: %v", r)
	}
	explicit := controllertest.Probe()
	explicit.Spec.Target.Service.Namespace = explicit.Namespace
	explicit.Spec.Scenarios[1].SequenceWrap = &v1alpha1.SequenceWrapOptions{Variants: []v1alpha1.SequenceWrapVariant{
		v1alpha1.VariantPush}}
	if r := specRules.refuse(specInput{explicit, ownNamespaces}); r != nil {
		t.Errorf("what is the default anyway is refused when spelled out: %v", r)
	}
}

func TestSpecIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*v1alpha1.TCPProbe)
		reason string
		says   string
	}{
		"the manager's namespace": {func(p *v1alpha1.TCPProbe) { p.Namespace = "tcpprobe-system" },
			v1alpha1.ReasonNamespaceDenied, "belongs to the operator"},
		"the probe namespace": {func(p *v1alpha1.TCPProbe) { p.Namespace = "tcpprobe-probes" },
			v1alpha1.ReasonNamespaceDenied, "belongs to the operator"},
		"a long annotation": {controllertest.WithRunAnnotation(strings.Repeat("x", 64)), v1alpha1.ReasonRunAnnotationTooLong,
			"more than 63 bytes; use fewer"},
		"an operator nobody knows": {func(p *v1alpha1.TCPProbe) {
			p.Spec.Sources.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}
		}, v1alpha1.ReasonInvalidSelector, "Near"},
		"the queue of an address": {func(p *v1alpha1.TCPProbe) {
			p.Spec.Target = v1alpha1.Target{Address: &v1alpha1.AddressTarget{IP: "10.1.2.3", Port: 443}}
			p.Spec.Scenarios[0].Type = v1alpha1.AcceptQueue
		}, v1alpha1.ReasonNotSupported, "it needs target.service"},
		"watching": {func(p *v1alpha1.TCPProbe) { p.Spec.Run.Mode = v1alpha1.Continuous }, v1alpha1.ReasonNotSupported,
			"run.mode Once and Interval only, not Continuous"},
		"a ClusterIP from the host network": {func(p *v1alpha1.TCPProbe) {
			controllertest.ViaClusterIP(p)
			p.Spec.Sources.Network = v1alpha1.NetworkHost
		}, v1alpha1.ReasonNotSupported, "bypass the translation of a ClusterIP; use sources.network Pod, or via PodIP alone"},
		"a queue behind a ClusterIP": {func(p *v1alpha1.TCPProbe) {
			p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP}
			p.Spec.Scenarios[0].Type = v1alpha1.AcceptQueue
		}, v1alpha1.ReasonNotSupported, "a ClusterIP leads to several; use via PodIP alone"},
		"a closed port of a ClusterIP": {func(p *v1alpha1.TCPProbe) {
			p.Spec.Target.Service.Via = []v1alpha1.Via{v1alpha1.ViaClusterIP}
			p.Spec.Scenarios[1].SequenceWrap = &v1alpha1.SequenceWrapOptions{Variants: []v1alpha1.SequenceWrapVariant{
				v1alpha1.VariantPush, "Null"}}
		}, v1alpha1.ReasonNotSupported, "ask a closed port of a host, and a ClusterIP is none"},
		"Liveness": {func(p *v1alpha1.TCPProbe) { p.Spec.Scenarios[0].Type = v1alpha1.Liveness },
			v1alpha1.ReasonNotSupported, "not Liveness"},
	} {
		t.Run(name, func(t *testing.T) {
			p := controllertest.Probe()
			c.change(p)
			r := specRules.refuse(specInput{p, ownNamespaces})
			if r == nil || r.Waiting || r.Reason != c.reason || !strings.Contains(r.Message, c.says) {
				t.Errorf("refusal %v; want %s that says %q", r, c.reason, c.says)
			}
		})
	}
}
