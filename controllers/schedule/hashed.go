package schedule

import (
	"reflect"
	"strings"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Every field of a TCPProbe's spec is in one of these two lists, by its path in JSON. A new field of the API has to be
// added to one of them. Its JSON tag must have omitempty or omitzero, so that a field that is not hashed leaves no
// trace.

// hashedFields change what a run sends. Another value gives another run ID, so a TCPProbe of mode Once runs again. The
// map value is nil for the fields of the first version. For a later field it is the field's default, which is not
// hashed: a TCPProbe from before the field and one that got the default have the same ID.
var hashedFields = map[string]any{
	"target.service.name":         nil,
	"target.service.namespace":    nil,
	"target.service.port":         nil,
	"target.service.via":          nil,
	"target.service.families":     nil,
	"target.service.maxEndpoints": nil,
	"target.address.ip":           nil,
	"target.address.port":         nil,

	"sources.selector": nil,
	"sources.max":      nil,
	"sources.network":  nil,

	"scenarios.name":                            nil,
	"scenarios.type":                            nil,
	"scenarios.payload":                         nil,
	"scenarios.payloadPreset":                   nil,
	"scenarios.sequenceWrap.variants":           nil,
	"scenarios.finReorder.trigger.onAccept":     nil,
	"scenarios.finReorder.trigger.send":         nil,
	"scenarios.finReorder.trigger.httpGet.path": nil,
	"scenarios.finReorder.gapMillis":            nil,
	"scenarios.acceptQueue.maxConnections":      nil,
	"scenarios.idleTimeout.maxSeconds":          nil,

	"paths":               nil,
	"packetsPerSecond":    nil,
	"kernelConnections":   v1alpha1.On,
	"run.deadlineSeconds": nil,
}

// excludedFields change when a run starts and how its result is used, but not what it sends.
var excludedFields = []string{"state", "run.mode", "run.intervalSeconds", "health"}

// hashedPart is a copy of the spec in which only the hashed fields have values.
func hashedPart(spec *v1alpha1.TCPProbeSpec, hashed map[string]any) v1alpha1.TCPProbeSpec {
	part := spec.DeepCopy()
	clearOthers(reflect.ValueOf(part).Elem(), "", hashed)
	return *part
}

// clearOthers clears what is not hashed in v, which is the part of the spec at path.
func clearOthers(v reflect.Value, path string, hashed map[string]any) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			clearOthers(v.Elem(), path, hashed)
		}
	case reflect.Slice:
		for i := range v.Len() {
			clearOthers(v.Index(i), path, hashed)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			clearField(v.Field(i), path+jsonName(v.Type().Field(i)), hashed)
		}
	}
}

func clearField(v reflect.Value, path string, hashed map[string]any) {
	byDefault, leaf := hashed[path]
	switch {
	case leaf && !isDefault(v, byDefault):
	case !leaf && holdsHashed(path, hashed):
		clearOthers(v, path+".", hashed)
	default:
		v.SetZero()
	}
}

func isDefault(v reflect.Value, byDefault any) bool {
	return byDefault != nil && !v.IsZero() && reflect.DeepEqual(reflect.Indirect(v).Interface(), byDefault)
}

// holdsHashed reports whether any field below path is hashed.
func holdsHashed(path string, hashed map[string]any) bool {
	for p := range hashed {
		if strings.HasPrefix(p, path+".") {
			return true
		}
	}
	return false
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
