package target

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// asking has the TCPProbe ask these scenarios.
func asking(types ...v1alpha1.ScenarioType) func(*v1alpha1.TCPProbe) {
	return func(p *v1alpha1.TCPProbe) {
		p.Spec.Scenarios = nil
		for _, s := range types {
			p.Spec.Scenarios = append(p.Spec.Scenarios, v1alpha1.Scenario{Type: s})
		}
	}
}

// wrapping has the TCPProbe ask these variants of SequenceWrap.
func wrapping(variants ...v1alpha1.SequenceWrapVariant) func(*v1alpha1.TCPProbe) {
	return func(p *v1alpha1.TCPProbe) {
		p.Spec.Scenarios = []v1alpha1.Scenario{{Type: v1alpha1.SequenceWrap,
			SequenceWrap: &v1alpha1.SequenceWrapOptions{Variants: variants}}}
	}
}

func mode(m v1alpha1.Mode) func(*v1alpha1.TCPProbe) {
	return func(p *v1alpha1.TCPProbe) { p.Spec.Run.Mode = m }
}

// TestWhatASpecIsRefusedFor: each spec differs from one that passes in one thing.
func TestWhatASpecIsRefusedFor(t *testing.T) {
	queue, viaIP, null := asking(v1alpha1.AcceptQueue), controllertest.ViaClusterIP, v1alpha1.SequenceWrapVariant("Null")
	near := func(p *v1alpha1.TCPProbe) {
		p.Spec.Sources.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}
	}
	every := asking(v1alpha1.Handshake, v1alpha1.SequenceWrap, v1alpha1.FinReorder, v1alpha1.AcceptQueue)
	for _, c := range []struct {
		probe *v1alpha1.TCPProbe
		want  string
	}{
		{probeWith(), ""},
		{probeWith(controllertest.WithRunAnnotation(strings.Repeat("x", 63))), ""},
		{probeWith(controllertest.WithRunAnnotation(strings.Repeat("x", 64))),
			"RunAnnotationTooLong: the annotation tcpprobe.dev/run has more than 63 bytes; use fewer"},
		{probeWith(near), `InvalidSelector: sources.selector: "Near" is not a valid label selector operator`},
		{probeWith(mode(v1alpha1.Interval)), ""},
		{probeWith(mode(v1alpha1.Continuous)),
			"NotSupported: this version has run.mode Once and Interval only, not Continuous"},
		{probeWith(toAddress("10.1.2.3")), ""},
		{probeWith(toAddress("10.1.2.3"), queue), "NotSupported: AcceptQueue fills one listener's queue, " +
			"which a Service's annotation allows; it needs target.service"},
		{probeWith(queue), ""},
		{probeWith(viaIP, queue),
			"NotSupported: AcceptQueue fills one listener's queue, and a ClusterIP leads to several; use via PodIP alone"},
		{probeWith(viaIP), ""},
		{probeWith(onHosts), ""},
		{probeWith(viaIP, onHosts), "NotSupported: segments that are crafted on a node's own network bypass the " +
			"translation of a ClusterIP; use sources.network Pod, or via PodIP alone"},
		{probeWith(viaIP, asking(v1alpha1.Handshake)), ""},
		{probeWith(viaIP, wrapping(v1alpha1.VariantPush)), ""},
		{probeWith(wrapping(v1alpha1.VariantPush, null)), ""},
		{probeWith(viaIP, wrapping(v1alpha1.VariantPush, null)), "NotSupported: the variants FinUrgPush, Null and AckZero " +
			"ask a closed port of a host, and a ClusterIP is none; use via PodIP alone"},
		{probeWith(asking(v1alpha1.IdleTimeout)), ""},
		{probeWith(mode(v1alpha1.Interval), asking(v1alpha1.IdleTimeout)), "NotSupported: IdleTimeout waits for silence " +
			"to pass, so it does not run again and again; use run.mode Once"},
		{probeWith(every), ""},
		{probeWith(asking(v1alpha1.Handshake, v1alpha1.Liveness)), "NotSupported: this version has the scenarios " +
			"[Handshake SequenceWrap FinReorder AcceptQueue PathMTU IdleTimeout], not Liveness"},
	} {
		expect(t, specRules, specInput{c.probe, ownNamespaces}, c.want)
	}
}
