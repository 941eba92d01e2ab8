//go:build envtest

package envtest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
)

// TestSchemaFollowsTheProber: the schema accepts exactly the scenarios and variants that the prober has.
func TestSchemaFollowsTheProber(t *testing.T) {
	spec := readCRD(t).Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	scenarios := spec.Properties["scenarios"].Items.Schema.Properties
	types := enum(scenarios["type"].Enum)
	types = slices.DeleteFunc(types, func(name string) bool { return name == "Liveness" }) // a rule refuses it
	if diff := cmp.Diff(slices.Sorted(maps.Keys(scenario.Registry)), types); diff != "" {
		t.Errorf("scenarios (- prober, + schema):\n%s", diff)
	}
	variants := scenarios["sequenceWrap"].Properties["variants"]
	known := slices.Sorted(slices.Values(scenario.Registry["SequenceWrap"].Variants))
	if diff := cmp.Diff(known, enum(variants.Items.Schema.Enum)); diff != "" {
		t.Errorf("variants of SequenceWrap (- prober, + schema):\n%s", diff)
	}
	if n := int(*variants.MaxItems); n != len(known) || n > plan.MaxVariants {
		t.Errorf("at most %d variants; there are %d, and a plan has room for %d", n, len(known), plan.MaxVariants)
	}
	for name, bound := range map[string][2]float64{
		"maxConnections": {plan.MaxConnections, *scenarios["acceptQueue"].Properties["maxConnections"].Maximum},
		"gapMillis":      {plan.MaxGapMillis, *scenarios["finReorder"].Properties["gapMillis"].Maximum},
	} {
		if bound[0] != bound[1] {
			t.Errorf("%s: at most %v in a plan, %v in the schema", name, bound[0], bound[1])
		}
	}
}

// enum lists the names of an enumeration, sorted.
func enum(values []apiextensions.JSON) []string {
	var names []string
	for _, v := range values {
		names = append(names, strings.Trim(string(v.Raw), `"`))
	}
	slices.Sort(names)
	return names
}
