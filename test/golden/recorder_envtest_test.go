//go:build envtest

package golden

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// recorder writes the document of a case: what users and administrators can read about it.
type recorder struct {
	*cluster
	testCase *testCase
	kubelet  *kubelet
	quiet    bool // without events
	parts    []string
	uids     []string // chosen by the API server, in the order of their appearance
}

// add records the TCPProbe as it is now.
func (r *recorder) add(t *testing.T, when string) {
	t.Helper()
	probe := r.testCase.current(t, r.cluster)
	part := map[string]any{"status": probe.Object["status"]}
	if when == "" {
		part["spec"] = probe.Object["spec"] // with defaults
	}
	r.addPart(strings.TrimSpace("TCPProbe "+when), part)
}

func (r *recorder) addPart(what string, v any) {
	text, err := yaml.JSONToYAML([]byte(r.normalised(mustJSON(v)))) // lines are folded after that
	if err != nil {
		panic(err)
	}
	r.parts = append(r.parts, "# "+what+"\n"+string(text))
}

// document has what was recorded, the plans and pods as they were when the pods were released, and all events.
func (r *recorder) document(t *testing.T) string {
	t.Helper()
	for _, plan := range r.kubelet.plans {
		r.addPart("plan", map[string]any{
			"name": plan.Name, "labels": plan.Labels, "owners": plan.OwnerReferences,
			"immutable": plan.Immutable, "data": plan.Data,
		})
	}
	slices.SortFunc(r.kubelet.seen, func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	for i, pod := range r.kubelet.seen {
		part := map[string]any{"name": pod.Name}
		for _, name := range []string{"load", "source"} {
			part[name] = pod.Annotations["tcpprobe.dev/"+name]
		}
		if r.testCase.Whole && i == 0 {
			part = map[string]any{
				"name": pod.Name, "labels": pod.Labels, "annotations": pod.Annotations,
				"owners": pod.OwnerReferences, "spec": pod.Spec,
			}
		}
		r.addPart("probe pod", part)
	}
	if !r.quiet {
		r.addPart("events", r.awaitedEvents(t))
	}
	return strings.Join(r.parts, "---\n")
}

// awaitedEvents waits for the events about the TCPProbe's conditions, because they are written after the status.
func (r *recorder) awaitedEvents(t *testing.T) []string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		lines := r.events(t)
		missing := slices.ContainsFunc(r.expectedEvents(t), func(event string) bool {
			return !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, " "+event+" ") })
		})
		if !missing || time.Now().After(deadline) {
			return lines
		}
	}
}

// expectedEvents are reason and type of the conditions that have an event. If Accepted is False, only Accepted has one.
func (r *recorder) expectedEvents(t *testing.T) (events []string) {
	t.Helper()
	conditions, _, _ := unstructured.NestedSlice(r.testCase.current(t, r.cluster).Object, "status", "conditions")
	for _, c := range conditions {
		c := c.(map[string]any)
		event := fmt.Sprint(c["reason"], " ", c["type"])
		if c["type"] == "Accepted" && c["status"] == "False" {
			return []string{event}
		}
		if c["reason"] != "Accepted" && c["reason"] != "NotRun" {
			events = append(events, event)
		}
	}
	return events
}

// events are the TCPProbe's events, sorted. The order in which they are written varies.
func (r *recorder) events(t *testing.T) []string {
	t.Helper()
	var list eventsv1.EventList
	if err := r.api.List(t.Context(), &list, client.InNamespace(r.testCase.probe.GetNamespace())); err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, e := range list.Items {
		if e.Regarding.Kind != "TCPProbe" || e.Regarding.Name != r.testCase.probe.GetName() {
			continue
		}
		line := fmt.Sprintf("%s %s %s (%s): %s", e.Type, e.Reason, e.Action, e.ReportingController, e.Note)
		if line = r.normalised(line); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// statusRules are for values that the API server and the clock set.
var statusRules = []rule{
	{anyTime, "TIME"},
	{regexp.MustCompile(`ended after [0-9hms]+`), "ended after DURATION"},
	{regexp.MustCompile(`still runs 7[0-9]+ s`), "still runs N s"},
}

var anyUID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// normalised replaces times, UIDs other than the fixed ones, and ClusterIPs that the API server chose.
func (r *recorder) normalised(text string) string {
	text = apply(statusRules, text)
	for ip, word := range r.clusterIPs() {
		text = strings.ReplaceAll(text, ip, word)
	}
	return anyUID.ReplaceAllStringFunc(text, func(uid string) string {
		if strings.HasPrefix(uid, fixedUIDs) {
			return uid
		}
		if !slices.Contains(r.uids, uid) {
			r.uids = append(r.uids, uid)
		}
		return fmt.Sprintf("UID-%d", slices.Index(r.uids, uid)+1)
	})
}

func (r *recorder) clusterIPs() map[string]string {
	var services corev1.ServiceList
	ips := make(map[string]string)
	if err := r.api.List(context.Background(), &services, client.InNamespace(r.testCase.name)); err != nil {
		return ips
	}
	for _, s := range services.Items {
		for i, ip := range s.Spec.ClusterIPs {
			if ip != corev1.ClusterIPNone {
				ips[ip] = fmt.Sprintf("CLUSTERIP-%s-%d", s.Name, i+1)
			}
		}
	}
	return ips
}
