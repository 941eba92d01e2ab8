//go:build envtest

package reconciler

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/gc"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// schema is a part of the TCPProbe's CustomResourceDefinition.
type schema map[string]any

func (s schema) at(keys ...string) schema {
	for _, key := range keys {
		s = s[key].(map[string]any)
	}
	return s
}

func (s schema) property(name string) schema { return s.at("properties", name) }

// drop takes properties away, as they are not in a definition from before they were thought of.
func (s schema) drop(names ...string) {
	for _, name := range names {
		delete(s.at("properties"), name)
	}
	if required, ok := s["required"].([]any); ok {
		s["required"] = slices.DeleteFunc(required, func(name any) bool { return slices.Contains(names, name.(string)) })
	}
}

// withoutRules takes the CEL rules away, which name properties.
func (s schema) withoutRules() {
	delete(s, "x-kubernetes-validations")
	for _, below := range s {
		if m, ok := below.(map[string]any); ok {
			schema(m).withoutRules()
		}
	}
}

// shipped is the definition in config/, and schema's of its spec and status.
func shipped(t *testing.T) (d *unstructured.Unstructured, spec, status schema) {
	t.Helper()
	text, err := os.ReadFile("../../config/crd/tcpprobe.dev_tcpprobes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d = &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &d.Object); err != nil {
		t.Fatal(err)
	}
	version := schema(d.Object["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any))
	whole := version.at("schema", "openAPIV3Schema")
	return d, whole.property("spec"), whole.property("status")
}

// edition is a definition's name, and what makes the shipped one into it.
type edition struct {
	name   string
	change func(spec, status schema)
}

var (
	current = edition{"current", func(schema, schema) {}}
	older   = edition{"older", stripped}
	newer   = edition{"newer", extended}
)

// stripped is from before tenancy, recurring runs and all that findings have learnt since.
func stripped(spec, status schema) {
	spec.withoutRules()
	spec.drop("health")
	spec.property("sources").drop("network")
	delete(spec.property("sources").at("default"), "network")
	spec.property("target").drop("address")
	spec.property("target").property("service").drop("namespace", "via", "families")
	status.drop("history", "health", "nextRunTime", "missedRuns")
	status.property("lastRun").drop("notes")
	status.property("findings").at("items").drop("via", "pathType", "rule", "ruleKnownFrom", "share", "queue")
}

// extended knows what this manager does not.
func extended(spec, status schema) {
	spec.at("properties")["later"] = map[string]any{"type": "string", "default": "by default"}
	mode := spec.property("run").property("mode")
	mode["enum"] = append(mode["enum"].([]any), "Later")
	status.at("properties")["later"] = map[string]any{"type": "string"}
	status.property("findings").at("items", "properties")["later"] = map[string]any{"type": "string"}
}

// editionProperty is one that each edition has for its own, so that one can see which is in force.
const editionProperty = "edition"

// redefine puts a definition in place and waits until it is in force.
func (w *world) redefine(e edition) {
	w.Helper()
	d, spec, status := shipped(w.T)
	e.change(spec, status)
	spec.at("properties")[editionProperty] = map[string]any{"type": "string", "enum": []any{e.name}}
	var now unstructured.Unstructured
	now.SetGroupVersionKind(d.GroupVersionKind())
	if err := w.api.Get(context.Background(), client.ObjectKeyFromObject(d), &now); err != nil {
		w.Fatal(err)
	}
	d.SetResourceVersion(now.GetResourceVersion())
	if err := w.api.Update(context.Background(), d); err != nil {
		w.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); !w.inForce(e); {
		if time.Now().After(deadline) {
			w.Fatalf("the %s definition does not come into force", e.name)
		}
	}
}

// inForce: the API server admits a TCPProbe of this edition, and keeps what only this edition has.
func (w *world) inForce(e edition) bool {
	p := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		editionProperty: e.name, "target": map[string]any{"service": map[string]any{"name": "web"}},
	}}}
	p.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("TCPProbe"))
	p.SetNamespace(w.tenant)
	p.SetName("edition")
	if err := w.api.Create(context.Background(), p, client.DryRunAll); err != nil {
		return false
	}
	got, _, _ := unstructured.NestedString(p.Object, "spec", editionProperty)
	return got == e.name
}

// defined has this definition in force until the test ends.
func (w *world) defined(e edition) {
	w.Helper()
	w.Cleanup(func() { w.redefine(current) })
	w.redefine(e)
}

// TestOlderDefinition: a manager that came before its definition runs what that allows, writes nothing again and again
// that the API server drops, and loses nothing when the definition follows in mid-run.
func TestOlderDefinition(t *testing.T) {
	w := furnished(t)
	w.defined(older)
	w.cast.acts["kn2"] = finds("SequenceWrap", report.SequenceZeroDropped)
	r := w.manager(w.api)
	p := w.probe()
	bad := w.drive(r, p, over(1))
	w.condition(bad, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if wait, err := w.step(r, p); err != nil || wait > gc.KeptFor {
		t.Errorf("look again in %v, %v", wait, err)
	}
	if now := w.get(p); now.ResourceVersion != bad.ResourceVersion {
		t.Error("the status was written though nothing changed")
	}

	w.edit(p, runAgain("during the upgrade"))
	w.drive(r, p, begun)
	w.redefine(current)
	w.drive(w.manager(w.api), p, over(2))
	w.edit(p, func(p *v1alpha1.TCPProbe) {
		p.Spec.Run.Mode, p.Spec.Run.IntervalSeconds = v1alpha1.Interval, ptr.To[int32](60)
	})
	recurring := w.drive(r, p, over(3))
	if s := recurring.Status; s.NextRunTime == nil || len(s.History) == 0 {
		t.Errorf("status %+v", s)
	}
	w.drive(r, p, over(4))
	w.delete(p)
	if n := w.cast.once(); n != 12 {
		t.Errorf("%d probers ran in 4 runs of 3 nodes", n)
	}
}

// TestNewerDefinition: a manager that is older than its definition leaves alone what it does not know, and refuses
// what it cannot do.
func TestNewerDefinition(t *testing.T) {
	w := furnished(t)
	w.defined(newer)
	r := w.manager(w.api)
	p := w.probe()
	done := w.drive(r, p, over(1))
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if wait, err := w.step(r, p); err != nil || wait != 0 {
		t.Errorf("look again in %v, %v", wait, err)
	}
	if now := w.get(p); now.ResourceVersion != done.ResourceVersion {
		t.Error("the status was written though nothing changed")
	}
	raw := &unstructured.Unstructured{}
	raw.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("TCPProbe"))
	if err := w.api.Get(t.Context(), client.ObjectKeyFromObject(p), raw); err != nil {
		t.Fatal(err)
	}
	if later, _, _ := unstructured.NestedString(raw.Object, "spec", "later"); later != "by default" {
		t.Errorf("spec.later is %q after a run", later)
	}

	w.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.Run.Mode = "Later" })
	w.pass(r, p)
	message := w.condition(w.get(p), v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonNotSupported)
	if !strings.Contains(message, "not Later") {
		t.Errorf("message %q", message)
	}
	w.cast.once()
}
