//go:build envtest

package envtest

import (
	"strings"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// TestEveryRuleIsTested compares the rules of the schema with the refusals that the tests expect. A rule that no test
// violates may be wrong or unused.
func TestEveryRuleIsTested(t *testing.T) {
	expected := map[string]bool{}
	for _, r := range refusals {
		expected[r.words] = true
	}
	for _, message := range ruleMessages(t) {
		if !anyWithin(expected, message) {
			t.Errorf("no test violates the rule %q", message)
		}
	}
}

// ruleMessages lists the messages of all CEL rules of the resource and its spec.
func ruleMessages(t *testing.T) []string {
	t.Helper()
	crd := readCRD(t)
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	found := collectRules(&spec, nil)
	if len(found) == 0 {
		t.Fatal("the schema has no rule at all")
	}
	return found
}

func collectRules(s *apiextensions.JSONSchemaProps, found []string) []string {
	for _, r := range s.XValidations {
		found = append(found, r.Message)
	}
	for name := range s.Properties {
		member := s.Properties[name]
		found = collectRules(&member, found)
	}
	if s.Items != nil {
		found = collectRules(s.Items.Schema, found)
	}
	return found
}

func anyWithin(words map[string]bool, message string) bool {
	for w := range words {
		if strings.Contains(message, w) {
			return true
		}
	}
	return false
}

func readCRD(t *testing.T) *apiextensions.CustomResourceDefinition {
	t.Helper()
	crd := &apiextensions.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(readFile(t, crdFile), crd); err != nil {
		t.Fatal(err)
	}
	return crd
}
