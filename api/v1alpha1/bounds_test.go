package v1alpha1_test

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// mostStatus is the most bytes that a status may have. etcd stores it and every watcher receives it. A resource whose
// requests are too large could not even be deleted.
const mostStatus = 128 << 10

func schema(t *testing.T) apiextensions.JSONSchemaProps {
	t.Helper()
	b, err := os.ReadFile("../../config/crd/tcpprobe.dev_tcpprobes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensions.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(b, &crd); err != nil {
		t.Fatal(err)
	}
	return *crd.Spec.Versions[0].Schema.OpenAPIV3Schema
}

// boundedByRule are fields of library types. CEL rules bound them, not maxLength. test/envtest shows that these rules
// refuse what is longer.
var boundedByRule = map[string]int{
	"status.conditions[].message": v1alpha1.MaxConditionMessage,
	"status.conditions[].reason":  64,
	"status.conditions[].type":    32, // the operator writes four types, and the list is a map by type
}

// unbounded is a field that only the size of a request limits: a label selector is a library type, and nothing copies
// it.
const unbounded = "spec.sources.selector"

// largest builds the longest value that s lets through, and reports everything in it that has no bound.
func largest(t *testing.T, s apiextensions.JSONSchemaProps, path string) any {
	switch {
	case path == unbounded:
		return nil
	case s.Type == "object":
		object := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			object[name] = largest(t, s.Properties[name], path+"."+name)
		}
		if s.AdditionalProperties != nil {
			t.Errorf("%s: a map without a bound", path)
		}
		return object
	case s.Type == "array":
		if s.MaxItems == nil {
			t.Errorf("%s: a list without maxItems", path)
			return nil
		}
		return slices.Repeat([]any{largest(t, *s.Items.Schema, path+"[]")}, int(*s.MaxItems))
	case s.Type == "boolean":
		return false
	case s.Type == "integer" && s.Maximum != nil:
		return int64(*s.Maximum)
	case s.Type == "integer" && s.Format == "int32":
		return int32(math.MaxInt32)
	case s.Type == "integer":
		return int64(math.MaxInt64)
	}
	return longest(t, s, path)
}

func longest(t *testing.T, s apiextensions.JSONSchemaProps, path string) string {
	switch bound, ruled := boundedByRule[path]; {
	case ruled:
		return strings.Repeat("x", bound)
	case s.MaxLength != nil:
		return strings.Repeat("x", int(*s.MaxLength))
	case s.Format == "date-time":
		return "2026-10-02T15:04:05Z"
	case len(s.Enum) > 0:
		return "Continuous"
	}
	t.Errorf("%s: a string without maxLength", path)
	return ""
}

func TestEverythingIsBounded(t *testing.T) {
	root := schema(t)
	largest(t, root.Properties["spec"], "spec")
	b, err := json.Marshal(largest(t, root.Properties["status"], "status"))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) >= mostStatus {
		t.Errorf("a status can have %d bytes; it has to stay below %d", len(b), mostStatus)
	}
	t.Logf("the largest status has %d bytes", len(b))
}

// TestLimitsMatchTheSchema compares the constants to which the manager cuts texts and lists with the schema's limits.
func TestLimitsMatchTheSchema(t *testing.T) {
	status := schema(t).Properties["status"].Properties
	finding := status["findings"].Items.Schema.Properties
	for _, limit := range []struct {
		name     string
		constant int
		schema   *int64
	}{
		{"MaxFindings", v1alpha1.MaxFindings, status["findings"].MaxItems},
		{"MaxHistory", v1alpha1.MaxHistory, status["history"].MaxItems},
		{"MaxTarget", v1alpha1.MaxTarget, status["target"].MaxLength},
		{"MaxFindingMessage", v1alpha1.MaxFindingMessage, finding["message"].MaxLength},
		{"MaxFindingRule", v1alpha1.MaxFindingRule, finding["rule"].MaxLength},
		{"MaxRuleKnownFrom", v1alpha1.MaxRuleKnownFrom, finding["ruleKnownFrom"].MaxLength},
		{"MaxEvidence", v1alpha1.MaxEvidence, finding["evidence"].MaxItems},
		{"MaxEvidenceLine", v1alpha1.MaxEvidenceLine, finding["evidence"].Items.Schema.MaxLength},
		{"MaxPorts", v1alpha1.MaxPorts, finding["share"].Properties["ports"].MaxItems},
		{"MaxBehaviour", v1alpha1.MaxBehaviour, finding["queue"].Properties["behaviour"].MaxLength},
		{"MaxNotes", v1alpha1.MaxNotes, status["lastRun"].Properties["notes"].MaxItems},
		{"MaxNote", v1alpha1.MaxNote, status["lastRun"].Properties["notes"].Items.Schema.MaxLength},
		{"MaxMissing", v1alpha1.MaxMissing, status["missing"].MaxItems},
		{"MaxMissingText", v1alpha1.MaxMissingText, status["missing"].Items.Schema.MaxLength},
		{"MaxFailedNames", v1alpha1.MaxFailedNames, status["lastFailure"].Properties["nodes"].MaxItems},
		{"MaxFailedNames", v1alpha1.MaxFailedNames, status["lastFailure"].Properties["pods"].MaxItems},
		{"MaxRunAnnotation", v1alpha1.MaxRunAnnotation, status["handledRun"].MaxLength},
	} {
		if limit.schema == nil || int64(limit.constant) != *limit.schema {
			t.Errorf("%s is %d, the schema says %v", limit.name, limit.constant, limit.schema)
		}
	}
}

func TestConditionsComeFirst(t *testing.T) {
	b, err := json.Marshal(v1alpha1.TCPProbeStatus{Conditions: fourConditions(), Target: "web:80"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(b), `{"conditions":[`) {
		t.Errorf("conditions are not the first member of status: %s", b)
	}
}
