package v1alpha1_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// specBounds are the smallest and the largest value of each field of a spec, and its default. They are written as
// numbers here, so that nobody changes one unnoticed.
var specBounds = map[string]string{
	"health.clearAfterSeconds":                    "0 to 3600, default 60",
	"health.raiseAfter":                           "1 to 10, default 1",
	"packetsPerSecond":                            "10 to 2000, default 200",
	"paths":                                       "1 to 256, default 16",
	"run.deadlineSeconds":                         "5 to 3600, default 50",
	"run.intervalSeconds":                         "60 to 86400, default ",
	"scenarios[].acceptQueue.maxConnections":      "1 to 4200, default 256",
	"scenarios[].finReorder.gapMillis":            "1 to 1000, default 20",
	"scenarios[].idleTimeout.maxSeconds":          "5 to 3500, default 30",
	"sources.max":                                 "1 to 1000, default 16",
	"target.address.port":                         "1 to 65535, default ",
	"target.service.maxEndpoints":                 "1 to 64, default 16",
	"scenarios":                                   "1 to 8 items",
	"scenarios[].sequenceWrap.variants":           "1 to 14 items",
	"target.service.families":                     "1 to 2 items",
	"target.service.via":                          "1 to 2 items",
	"scenarios[].finReorder.trigger.send":         "1 to 1024 characters",
	"scenarios[].finReorder.trigger.httpGet.path": "1 to 512 characters",
	"scenarios[].name":                            "1 to 63 characters",
	"scenarios[].payload":                         "1 to 1024 characters",
	"target.address.ip":                           "2 to 45 characters",
	"target.service.name":                         "1 to 63 characters",
	"target.service.namespace":                    "1 to 63 characters",
}

func TestBoundsOfASpec(t *testing.T) {
	found := map[string]string{}
	boundsOf(schema(t).Properties["spec"], "", found)
	for _, path := range slices.Sorted(maps.Keys(specBounds)) {
		if found[path] != specBounds[path] {
			t.Errorf("spec.%s: %s; want %s", path, found[path], specBounds[path])
		}
		delete(found, path)
	}
	for path, bounds := range found {
		t.Errorf("spec.%s: %s; no bounds are stated here", path, bounds)
	}
}

// boundsOf adds the bounds of everything in s that has a minimum and a maximum.
func boundsOf(s apiextensions.JSONSchemaProps, path string, found map[string]string) {
	switch {
	case path == ".sources.selector": // a library type
		return
	case s.Minimum != nil && s.Maximum != nil:
		def := ""
		if s.Default != nil {
			def = string(s.Default.Raw)
		}
		found[path[1:]] = fmt.Sprintf("%v to %v, default %s", *s.Minimum, *s.Maximum, def)
	case s.MinItems != nil && s.MaxItems != nil:
		found[path[1:]] = fmt.Sprintf("%d to %d items", *s.MinItems, *s.MaxItems)
	case s.MinLength != nil && s.MaxLength != nil:
		found[path[1:]] = fmt.Sprintf("%d to %d characters", *s.MinLength, *s.MaxLength)
	}
	for name, property := range s.Properties {
		boundsOf(property, path+"."+name, found)
	}
	if s.Items != nil {
		boundsOf(*s.Items.Schema, path+"[]", found)
	}
}

// TestDefaults pins the defaults that the manager fills in for TCPProbes of older versions, as the API server does for
// new ones.
func TestDefaults(t *testing.T) {
	if v1alpha1.DefaultRaiseAfter != 1 || v1alpha1.DefaultClearAfterSeconds != 60 {
		t.Errorf("raise after %d, clear after %d s", v1alpha1.DefaultRaiseAfter, v1alpha1.DefaultClearAfterSeconds)
	}
}

// TestBoundsOfAStatus pins how much a status may hold: etcd and every watcher have to carry it.
func TestBoundsOfAStatus(t *testing.T) {
	for name, c := range map[string][2]int{
		"condition's message": {v1alpha1.MaxConditionMessage, 1024},
		"findings":            {v1alpha1.MaxFindings, 32},
		"history":             {v1alpha1.MaxHistory, 5},
		"target":              {v1alpha1.MaxTarget, 128},
		"reason":              {v1alpha1.MaxFindingReason, 48},
		"finding's message":   {v1alpha1.MaxFindingMessage, 640},
		"rule":                {v1alpha1.MaxFindingRule, 64},
		"devices":             {v1alpha1.MaxRuleKnownFrom, 256},
		"evidence":            {v1alpha1.MaxEvidence, 6},
		"line of it":          {v1alpha1.MaxEvidenceLine, 64},
		"ports":               {v1alpha1.MaxPorts, 16},
		"behaviour":           {v1alpha1.MaxBehaviour, 16},
		"notes":               {v1alpha1.MaxNotes, 4},
		"note":                {v1alpha1.MaxNote, 256},
		"annotation":          {v1alpha1.MaxRunAnnotation, 63},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %d; want %d", name, c[0], c[1])
		}
	}
}
