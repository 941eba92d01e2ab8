package v1alpha1_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

func fourConditions() []metav1.Condition {
	var list []metav1.Condition
	for _, name := range []string{
		v1alpha1.ConditionAccepted, v1alpha1.ConditionComplete, v1alpha1.ConditionCovered, v1alpha1.ConditionPathHealthy,
	} {
		list = append(list, metav1.Condition{Type: name, Status: metav1.ConditionTrue, Reason: "Tested"})
	}
	return list
}

func TestSchemeKnowsTCPProbe(t *testing.T) {
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"TCPProbe", "TCPProbeList"} {
		if !s.Recognizes(v1alpha1.GroupVersion.WithKind(kind)) {
			t.Errorf("%s is not registered", kind)
		}
	}
}

func TestVariants(t *testing.T) {
	push := []v1alpha1.SequenceWrapVariant{v1alpha1.VariantPush}
	own := []v1alpha1.SequenceWrapVariant{"Fin", "Push"}
	for _, c := range []struct {
		name     string
		scenario v1alpha1.Scenario
		want     []v1alpha1.SequenceWrapVariant
	}{
		{"a type without variants", v1alpha1.Scenario{Type: v1alpha1.Handshake}, nil},
		{"no options", v1alpha1.Scenario{Type: v1alpha1.SequenceWrap}, push},
		{"empty options", v1alpha1.Scenario{Type: v1alpha1.SequenceWrap,
			SequenceWrap: &v1alpha1.SequenceWrapOptions{}}, push},
		{"its own", v1alpha1.Scenario{Type: v1alpha1.SequenceWrap,
			SequenceWrap: &v1alpha1.SequenceWrapOptions{Variants: own}}, own},
	} {
		if got := c.scenario.Variants(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestZeroValuesAreOmitted shows that a TCPProbe built in Go sends no zero value, which would replace a default.
func TestZeroValuesAreOmitted(t *testing.T) {
	target := v1alpha1.Target{Service: &v1alpha1.ServiceTarget{Name: "web"}}
	p := v1alpha1.TCPProbe{Spec: v1alpha1.TCPProbeSpec{Target: target}}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"metadata":{},"spec":{"target":{"service":{"name":"web"}}}}`, string(b)); diff != "" {
		t.Error(diff)
	}
}
