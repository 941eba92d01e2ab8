package tablegen

import (
	"cmp"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/rule"
	"github.com/tcpprobe/tcpprobe/probe/scenario"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

const root = "../../"

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(root + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// scenarioSchema is the schema of one of spec.scenarios.
func scenarioSchema(t *testing.T) map[string]apiextensions.JSONSchemaProps {
	t.Helper()
	return schema(t).Properties["spec"].Properties["scenarios"].Items.Schema.Properties
}

func schema(t *testing.T) *apiextensions.JSONSchemaProps {
	t.Helper()
	var crd apiextensions.CustomResourceDefinition
	if err := yaml.UnmarshalStrict([]byte(read(t, "config/crd/tcpprobe.dev_tcpprobes.yaml")), &crd); err != nil {
		t.Fatal(err)
	}
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema
}

// enum are the values that a schema accepts.
func enum(s *apiextensions.JSONSchemaProps) (values []string) {
	for _, v := range s.Enum {
		values = append(values, strings.Trim(string(v.Raw), `"`))
	}
	return values
}

// TestPresetsAreTheSameEverywhere: schema and documents have every preset of payloads, and no other.
func TestPresetsAreTheSameEverywhere(t *testing.T) {
	names := payload.Names()
	if member := scenarioSchema(t)["payloadPreset"]; !slices.Equal(enum(&member), names) {
		t.Errorf("the schema has %v, want %v", enum(&member), names)
	}
	if got := listed(t, "docs/scenarios.md", "presets"); !slices.Equal(got, names) {
		t.Errorf("docs/scenarios.md has %v, want %v; run go generate ./...", got, names)
	}
}

// TestVariantsAreTheSameEverywhere: schema, prober, sample and documents have every variant, and no other.
func TestVariantsAreTheSameEverywhere(t *testing.T) {
	names := variant.Names(variant.Any)
	member := scenarioSchema(t)["sequenceWrap"].Properties["variants"]
	if got := enum(member.Items.Schema); !slices.Equal(got, names) {
		t.Errorf("the schema has %v, want %v", got, names)
	}
	if *member.MaxItems != int64(len(names)) || len(names) > plan.MaxVariants {
		t.Errorf("the schema takes %d variants and a plan %d, want %d", *member.MaxItems, plan.MaxVariants, len(names))
	}
	found := schema(t).Properties["status"].Properties["findings"].Items.Schema.Properties["variants"]
	longest := slices.MaxFunc(names, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	if *found.MaxItems != int64(len(names)) || *found.Items.Schema.MaxLength != int64(len(longest)) {
		t.Errorf("a finding takes %d variants of %d letters; want %d of %d", *found.MaxItems,
			*found.Items.Schema.MaxLength, len(names), len(longest))
	}
	first := variant.Default().Name
	if got := string(member.Default.Raw); got != `["`+first+`"]` || string(v1alpha1.VariantPush) != first {
		t.Errorf("the schema's default is %s, the constant %s, want %s", got, v1alpha1.VariantPush, first)
	}
	if got := scenario.Registry["SequenceWrap"].Variants; !slices.Equal(got, names) {
		t.Errorf("the prober has %v, want %v", got, names)
	}
	for _, name := range names {
		if scenario.Registry["SequenceWrap"].Flow(name) == nil {
			t.Errorf("the prober has no flow for %s", name)
		}
	}
	if got := listed(t, "docs/scenarios.md", "variants"); !slices.Equal(got, names) {
		t.Errorf("docs/scenarios.md has %v, want %v; run go generate ./...", got, names)
	}
	var sample v1alpha1.TCPProbe
	if err := yaml.UnmarshalStrict([]byte(read(t, "config/samples/variants.yaml")), &sample); err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, v := range sample.Spec.Scenarios[0].Variants() {
		asked = append(asked, string(v))
	}
	if !slices.Equal(slices.Sorted(slices.Values(asked)), slices.Sorted(slices.Values(names))) {
		t.Errorf("config/samples/variants.yaml asks for %v, want %v", asked, names)
	}
}

// TestRulesAreDocumented: documents have every rule. A test of lab/labcmd shows that the lab's switch has each.
func TestRulesAreDocumented(t *testing.T) {
	var names []string
	for _, r := range rule.All() {
		names = append(names, r.Name)
	}
	if got := listed(t, "docs/scenarios.md", "rules"); !slices.Equal(got, names) {
		t.Errorf("docs/scenarios.md has %v, want %v; run go generate ./...", got, names)
	}
}

// listed are the names at the beginning of the items of a generated section.
func listed(t *testing.T, file, section string) (names []string) {
	t.Helper()
	_, text, found := strings.Cut(read(t, file), "<!-- generated: "+section+" -->\n")
	text, _, ended := strings.Cut(text, "<!-- generated end -->")
	if !found || !ended {
		t.Fatalf("%s has no section %q", file, section)
	}
	for _, m := range regexp.MustCompile("(?m)^\\* \\*\\*`(\\w+)`\\*\\*").FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// TestScenariosAreTheSameEverywhere: schema and documents have every scenario that the prober has. The schema also has
// one that is still to come.
func TestScenariosAreTheSameEverywhere(t *testing.T) {
	const toCome = string(v1alpha1.Liveness)
	kind := scenarioSchema(t)["type"]
	types := slices.DeleteFunc(enum(&kind), func(s string) bool { return s == toCome })
	var known []string
	for name := range scenario.Registry {
		known = append(known, name)
		if !strings.Contains(read(t, "docs/scenarios.md"), "\n## "+name+"\n") {
			t.Errorf("docs/scenarios.md has no part about %s", name)
		}
	}
	if !slices.Equal(slices.Sorted(slices.Values(types)), slices.Sorted(slices.Values(known))) {
		t.Errorf("the schema has %v, the engine %v", types, known)
	}
	slices.Sort(known)
	var supported []string
	for _, s := range target.SupportedScenarios {
		supported = append(supported, string(s))
	}
	if slices.Sort(supported); !slices.Equal(supported, known) {
		t.Errorf("the operator supports %v, the engine has %v", supported, known)
	}
}
