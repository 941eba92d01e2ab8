//go:build envtest

package envtest

import (
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// TestSchemaHasThePlansBounds: a plan can carry everything that the schema accepts.
func TestSchemaHasThePlansBounds(t *testing.T) {
	spec := readCRD(t).Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties
	scenario := spec["scenarios"].Items.Schema.Properties
	trigger := scenario["finReorder"].Properties["trigger"].Properties
	for name, bound := range map[string][2]float64{
		"scenarios":                {plan.MaxScenarios, float64(*spec["scenarios"].MaxItems)},
		"scenario's name":          {plan.MaxWord, float64(*scenario["name"].MaxLength)},
		"payload":                  {plan.MaxPayload, float64(*scenario["payload"].MaxLength)},
		"send":                     {plan.MaxSend, float64(*trigger["send"].MaxLength)},
		"path":                     {plan.MaxPath, float64(*trigger["httpGet"].Properties["path"].MaxLength)},
		"paths":                    {plan.MaxPaths, *spec["paths"].Maximum},
		"packetsPerSecond":         {plan.MaxRate, *spec["packetsPerSecond"].Maximum},
		"packetsPerSecond's least": {plan.MinRate, *spec["packetsPerSecond"].Minimum},
		"deadlineSeconds":          {plan.MaxDeadline, *spec["run"].Properties["deadlineSeconds"].Maximum},
	} {
		if bound[0] != bound[1] {
			t.Errorf("%s: %v in a plan, %v in the schema", name, bound[0], bound[1])
		}
	}
}
