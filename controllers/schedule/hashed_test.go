package schedule

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// storedProbes are TCPProbes as clusters have them, with the IDs of their runs. If an upgrade changed one of these
// IDs, every such TCPProbe would run again.
var storedProbes = map[string]struct {
	change func(*v1alpha1.TCPProbe)
	id     string // of run 7
}{
	"the smallest": {func(*v1alpha1.TCPProbe) {}, "h6wnrn2ogy-b4bdjtyq3i"},
	"suspended, recurring, with health": {func(p *v1alpha1.TCPProbe) {
		p.Spec.State = v1alpha1.Suspended
		p.Spec.Run = v1alpha1.Run{Mode: v1alpha1.Interval, IntervalSeconds: new(int32(300)), DeadlineSeconds: 50}
		p.Spec.Health = &v1alpha1.Health{RaiseAfter: 3, ClearAfterSeconds: new(int32(0))}
	}, "h6wnrn2ogy-b4bdjtyq3i"},
	"another deadline": {func(p *v1alpha1.TCPProbe) { p.Spec.Run.DeadlineSeconds = 600 }, "s5njutsqmu-hlzbrh6lx7"},
	"annotated":        {controllertest.WithRunAnnotation("again"), "h6wnrn2ogy-opjbuphibc"},
	"an address": {func(p *v1alpha1.TCPProbe) {
		p.Spec.Target = v1alpha1.Target{Address: &v1alpha1.AddressTarget{IP: "fd00::1", Port: 443}}
	}, "42o5sx4tst-nupijlipfy"},
	"everything of a Service": {func(p *v1alpha1.TCPProbe) {
		p.Spec.Target.Service = &v1alpha1.ServiceTarget{
			Name: "pay", Namespace: "bank", Port: new(intstr.FromString("https")),
			Via:      []v1alpha1.Via{v1alpha1.ViaPodIP, v1alpha1.ViaClusterIP},
			Families: []v1alpha1.IPFamily{"IPv6", "IPv4"}, MaxEndpoints: 64,
		}
	}, "dqdwdkw74l-54sqif7xn4"},
	"a port by number": {func(p *v1alpha1.TCPProbe) {
		p.Spec.Target.Service.Port = new(intstr.FromInt32(8080))
	}, "lyvsv3u5c2-x6p25gf7cb"},
	"chosen sources": {func(p *v1alpha1.TCPProbe) {
		p.Spec.Sources = v1alpha1.Sources{Max: 1000, Network: v1alpha1.NetworkHost, Selector: metav1.LabelSelector{
			MatchLabels: map[string]string{"zone": "b", "rack": "<7>"},
			MatchExpressions: []metav1.LabelSelectorRequirement{
				{Key: "gpu", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"a", "b"}},
				{Key: "old", Operator: metav1.LabelSelectorOpDoesNotExist},
			},
		}}
	}, "ew2xve4das-dpx4tpjjti"},
	"every scenario": {func(p *v1alpha1.TCPProbe) {
		p.Spec.Scenarios = []v1alpha1.Scenario{
			{Name: "h", Type: v1alpha1.Handshake, Payload: "GET / HTTP/1.1\r\n\"<&>"},
			{Name: "s", Type: v1alpha1.SequenceWrap, SequenceWrap: &v1alpha1.SequenceWrapOptions{
				Variants: []v1alpha1.SequenceWrapVariant{"Push", "Null", "AckZero"}}},
			{Name: "o", Type: v1alpha1.FinReorder, FinReorder: &v1alpha1.FinReorderOptions{
				Trigger: v1alpha1.Trigger{OnAccept: &v1alpha1.OnAccept{}}, GapMillis: 20}},
			{Name: "t", Type: v1alpha1.FinReorder, FinReorder: &v1alpha1.FinReorderOptions{
				Trigger: v1alpha1.Trigger{Send: "QUIT\r\n"}, GapMillis: 1000}},
			{Name: "g", Type: v1alpha1.FinReorder, FinReorder: &v1alpha1.FinReorderOptions{
				Trigger: v1alpha1.Trigger{HTTPGet: &v1alpha1.HTTPGet{Path: "/ready?full=1"}}, GapMillis: 20}},
			{Name: "q", Type: v1alpha1.AcceptQueue, AcceptQueue: &v1alpha1.AcceptQueueOptions{MaxConnections: 4200}},
		}
		p.Spec.Paths, p.Spec.PacketsPerSecond = 256, 2000
	}, "hmgxroa4wd-3kqm7xb6am"},
	"options without content": {func(p *v1alpha1.TCPProbe) {
		p.Spec.Scenarios = []v1alpha1.Scenario{
			{Type: v1alpha1.SequenceWrap, SequenceWrap: &v1alpha1.SequenceWrapOptions{}},
			{Type: v1alpha1.FinReorder, FinReorder: &v1alpha1.FinReorderOptions{
				Trigger: v1alpha1.Trigger{HTTPGet: &v1alpha1.HTTPGet{}}}},
			{Type: v1alpha1.AcceptQueue, AcceptQueue: &v1alpha1.AcceptQueueOptions{}},
		}
	}, "b2bjvros76-ufn7p6d6jt"},
	"nothing but what an old definition defaults": {func(p *v1alpha1.TCPProbe) {
		p.Spec = v1alpha1.TCPProbeSpec{Target: v1alpha1.Target{Service: &v1alpha1.ServiceTarget{Name: "web"}}}
	}, "yrvj2cecis-ocqvcl4jgt"},
}

// TestRunIDsOutliveUpgrades pins the IDs of stored TCPProbes.
func TestRunIDsOutliveUpgrades(t *testing.T) {
	for name, c := range storedProbes {
		p := controllertest.Probe()
		c.change(p)
		if id := RunID(p, 7); id != c.id {
			t.Errorf("%s: %s; want %s", name, id, c.id)
		}
	}
}

// TestEveryFieldIsHashedOrExcluded: a new field of the spec has to be in one of the two lists.
func TestEveryFieldIsHashedOrExcluded(t *testing.T) {
	unseen := make(map[string]bool)
	for path := range hashedFields {
		unseen[path] = true
	}
	for _, path := range excludedFields {
		unseen[path] = true
	}
	requireClassified(t, reflect.TypeFor[v1alpha1.TCPProbeSpec](), "", unseen)
	for path := range unseen {
		t.Errorf("the spec has no field %s", path)
	}
}

// requireClassified fails the test for a field of the type that is neither hashed nor excluded and has no fields of
// its own.
func requireClassified(t *testing.T, of reflect.Type, path string, unseen map[string]bool) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	for f := range of.Fields() {
		name := path + jsonName(f)
		byDefault, hashed := hashedFields[name]
		excluded := slices.Contains(excludedFields, name)
		delete(unseen, name)
		if !hashed && !excluded && hasFields(f.Type) {
			requireClassified(t, f.Type, name+".", unseen)
			continue
		}
		if hashed == excluded {
			t.Errorf("spec.%s: hashed %t, excluded %t; enter it into hashedFields or excludedFields", name, hashed, excluded)
		}
		if empty := f.Tag.Get("json"); (excluded || byDefault != nil) && !strings.Contains(empty, ",omit") {
			t.Errorf("spec.%s: its tag %q writes it also where it is not hashed", name, empty)
		}
	}
}

// TestDefaultOfALaterField: a TCPProbe that got the default of a newer field keeps its run ID.
func TestDefaultOfALaterField(t *testing.T) {
	later := map[string]any{"paths": int32(16), "run.intervalSeconds": int32(60), "target.service.name": nil}
	for paths, want := range map[int32]string{
		0:  `{"target":{"service":{"name":"web"}}}`,
		16: `{"target":{"service":{"name":"web"}}}`,
		17: `{"target":{"service":{"name":"web"}},"paths":17}`,
	} {
		spec := controllertest.Probe().Spec
		spec.Scenarios, spec.Paths, spec.Run.IntervalSeconds = nil, paths, new(int32(60))
		text, err := json.Marshal(hashedPart(&spec, later))
		if err != nil || string(text) != want {
			t.Errorf("%d paths: %s, %v; want %s", paths, text, err, want)
		}
	}
}

// TestKernelConnectionsOnIsTheSameQuestion: the field is newer than what is stored.
func TestKernelConnectionsOnIsTheSameQuestion(t *testing.T) {
	old, on, off := controllertest.Probe(), controllertest.Probe(), controllertest.Probe()
	old.Spec.KernelConnections, on.Spec.KernelConnections, off.Spec.KernelConnections = "", v1alpha1.On, v1alpha1.Off
	if RunID(old, 7) != RunID(on, 7) || RunID(old, 7) == RunID(off, 7) {
		t.Errorf("without the field %s, On %s, Off %s", RunID(old, 7), RunID(on, 7), RunID(off, 7))
	}
}

// TestPayloadPresetIsAnotherQuestion: a preset makes a TCPProbe run again; without one its ID is what it was, which
// TestRunIDsOutliveUpgrades pins.
func TestPayloadPresetIsAnotherQuestion(t *testing.T) {
	none, one, other := controllertest.Probe(), controllertest.Probe(), controllertest.Probe()
	one.Spec.Scenarios[0].PayloadPreset, other.Spec.Scenarios[0].PayloadPreset = "redis", "smtp"
	if a, b, c := RunID(none, 7), RunID(one, 7), RunID(other, 7); a == b || b == c || a == c {
		t.Errorf("%s, %s, %s", a, b, c)
	}
}

// hasFields reports whether the type, or what it points to or lists, is a struct of the API with fields of its own.
func hasFields(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && t.NumField() > 0 && t.PkgPath() == reflect.TypeFor[v1alpha1.TCPProbe]().PkgPath()
}
