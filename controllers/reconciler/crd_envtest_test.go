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

// drop removes properties that an older CRD does not have.
func (s schema) drop(names ...string) {
	for _, name := range names {
		delete(s.at("properties"), name)
	}
	if required, ok := s["required"].([]any); ok {
		s["required"] = slices.DeleteFunc(required, func(name any) bool { return slices.Contains(names, name.(string)) })
	}
}

// withoutRules removes the CEL rules, which name properties.
func (s schema) withoutRules() {
	delete(s, "x-kubernetes-validations")
	for _, below := range s {
		if m, ok := below.(map[string]any); ok {
			schema(m).withoutRules()
		}
	}
}

// shippedCRD is the CRD of config/, with the schemas of spec and status.
func shippedCRD(t *testing.T) (d *unstructured.Unstructured, spec, status schema) {
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

// crdVersion is a version of the CRD: its name, and how it differs from the shipped one.
type crdVersion struct {
	name   string
	change func(spec, status schema)
}

var (
	current = crdVersion{"current", func(schema, schema) {}}
	older   = crdVersion{"older", olderCRD}
	newer   = crdVersion{"newer", newerCRD}
)

// olderCRD is the CRD from before tenancy, recurring runs and the later fields of findings.
func olderCRD(spec, status schema) {
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

// newerCRD has fields and a mode that this manager does not know.
func newerCRD(spec, status schema) {
	spec.at("properties")["later"] = map[string]any{"type": "string", "default": "by default"}
	mode := spec.property("run").property("mode")
	mode["enum"] = append(mode["enum"].([]any), "Later")
	status.at("properties")["later"] = map[string]any{"type": "string"}
	status.property("findings").at("items", "properties")["later"] = map[string]any{"type": "string"}
}

// versionProperty is a property that only allows the name of its CRD version. It shows which version is served.
const versionProperty = "crdVersion"

// applyCRD replaces the CRD and waits until it is served.
func (env *testEnv) applyCRD(e crdVersion) {
	env.Helper()
	d, spec, status := shippedCRD(env.T)
	e.change(spec, status)
	spec.at("properties")[versionProperty] = map[string]any{"type": "string", "enum": []any{e.name}}
	var now unstructured.Unstructured
	now.SetGroupVersionKind(d.GroupVersionKind())
	if err := env.api.Get(context.Background(), client.ObjectKeyFromObject(d), &now); err != nil {
		env.Fatal(err)
	}
	d.SetResourceVersion(now.GetResourceVersion())
	if err := env.api.Update(context.Background(), d); err != nil {
		env.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); !env.crdIsServed(e); {
		if time.Now().After(deadline) {
			env.Fatalf("the %s CRD is not served", e.name)
		}
	}
}

// crdIsServed reports whether the API server accepts a TCPProbe of this version and keeps the version's property.
func (env *testEnv) crdIsServed(e crdVersion) bool {
	p := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		versionProperty: e.name, "target": map[string]any{"service": map[string]any{"name": "web"}},
	}}}
	p.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("TCPProbe"))
	p.SetNamespace(env.tenant)
	p.SetName("version")
	if err := env.api.Create(context.Background(), p, client.DryRunAll); err != nil {
		return false
	}
	got, _, _ := unstructured.NestedString(p.Object, "spec", versionProperty)
	return got == e.name
}

// useCRD has this CRD served until the test ends.
func (env *testEnv) useCRD(e crdVersion) {
	env.Helper()
	env.Cleanup(func() { env.applyCRD(current) })
	env.applyCRD(e)
}

// TestOlderCRD: a manager that was upgraded before its CRD runs what the old CRD allows. It does not write again and
// again what the API server drops. Nothing is lost when the CRD is upgraded in the middle of a run.
func TestOlderCRD(t *testing.T) {
	env := newTestEnvWithPods(t)
	env.useCRD(older)
	env.nodes.behaviour["kn2"] = withFailure("SequenceWrap", report.SequenceZeroDropped)
	r := env.manager(env.api)
	p := env.probe()
	bad := env.runUntil(r, p, runEnded(1))
	env.expect(bad, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.SequenceZeroDropped))
	if wait, err := env.tryReconcile(r, p); err != nil || wait > gc.KeptFor {
		t.Errorf("requeued after %v, %v", wait, err)
	}
	if now := env.get(p); now.ResourceVersion != bad.ResourceVersion {
		t.Error("the status was written though nothing changed")
	}

	env.edit(p, runAgain("during the upgrade"))
	env.runUntil(r, p, runStarted)
	env.applyCRD(current)
	env.runUntil(env.manager(env.api), p, runEnded(2))
	env.edit(p, func(p *v1alpha1.TCPProbe) {
		p.Spec.Run.Mode, p.Spec.Run.IntervalSeconds = v1alpha1.Interval, ptr.To[int32](60)
	})
	recurring := env.runUntil(r, p, runEnded(3))
	if s := recurring.Status; s.NextRunTime == nil || len(s.History) == 0 {
		t.Errorf("status %+v", s)
	}
	env.runUntil(r, p, runEnded(4))
	env.delete(p)
	if n := env.nodes.requireOneRunEach(); n != 12 {
		t.Errorf("%d probers ran in 4 runs of 3 nodes", n)
	}
}

// TestNewerCRD: a manager that is older than its CRD keeps what it does not know, and refuses what it cannot do.
func TestNewerCRD(t *testing.T) {
	env := newTestEnvWithPods(t)
	env.useCRD(newer)
	r := env.manager(env.api)
	p := env.probe()
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if wait, err := env.tryReconcile(r, p); err != nil || wait != 0 {
		t.Errorf("requeued after %v, %v", wait, err)
	}
	if now := env.get(p); now.ResourceVersion != done.ResourceVersion {
		t.Error("the status was written though nothing changed")
	}
	raw := &unstructured.Unstructured{}
	raw.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("TCPProbe"))
	if err := env.api.Get(t.Context(), client.ObjectKeyFromObject(p), raw); err != nil {
		t.Fatal(err)
	}
	if later, _, _ := unstructured.NestedString(raw.Object, "spec", "later"); later != "by default" {
		t.Errorf("spec.later is %q after a run", later)
	}

	env.edit(p, func(p *v1alpha1.TCPProbe) { p.Spec.Run.Mode = "Later" })
	env.reconcile(r, p)
	message := env.expect(env.get(p), v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonNotSupported)
	if !strings.Contains(message, "not Later") {
		t.Errorf("message %q", message)
	}
	env.nodes.requireOneRunEach()
}
