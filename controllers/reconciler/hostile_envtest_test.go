//go:build envtest

package reconciler

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
	"github.com/tcpprobe/tcpprobe/probe/plan"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// forgeries are slices of the Service, each with one address that is not the tenant's to probe.
func forgeries(w *world) []*discoveryv1.EndpointSlice {
	mine := w.barePod("mine", "")
	w.start(mine, "10.244.1.77")
	foreign := w.barePod("victim", "")
	foreign.Namespace = w.namespace("victim-")
	w.start(foreign, "10.244.1.78")
	host := w.barePod("host", "")
	host.Spec.HostNetwork = true
	w.start(host, "10.244.1.79")
	stranger := w.barePod("stranger", "")
	stranger.Labels = map[string]string{"app": "db"}
	w.start(stranger, "10.244.1.80")
	ghost := refTo(mine)
	ghost.UID = "00000000-0000-4000-8000-000000000000"
	return []*discoveryv1.EndpointSlice{
		controllertest.Slice(w.tenant, "web", "-api-server", refTo(mine), apiServerAddress),
		controllertest.Slice(w.tenant, "web", "-node", refTo(mine), "192.168.7.2"),
		controllertest.Slice(w.tenant, "web", "-metadata", refTo(mine), "100.100.100.200"),
		controllertest.Slice(w.tenant, "web", "-azure", refTo(mine), "168.63.129.16"),
		controllertest.Slice(w.tenant, "web", "-other-pod", refTo(mine), "10.244.9.9"),
		controllertest.Slice(w.tenant, "web", "-foreign", refTo(foreign), "10.244.1.78"),
		controllertest.Slice(w.tenant, "web", "-host", refTo(host), "10.244.1.79"),
		controllertest.Slice(w.tenant, "web", "-stranger", refTo(stranger), "10.244.1.80"),
		controllertest.Slice(w.tenant, "web", "-ghost", ghost, "10.244.1.77"),
		controllertest.Slice(w.tenant, "web", "-nobody", nil, "10.244.1.81"),
	}
}

// TestForgedEndpoints has a tenant write one EndpointSlice for each kind of address that is not his to probe. (The API
// server itself refuses loopback, link-local and multicast addresses in slices; endpoint_test.go has them.)
func TestForgedEndpoints(t *testing.T) {
	w := furnished(t)
	forged := forgeries(w)
	for _, s := range forged {
		w.create(s)
	}
	p := w.probe()
	r := w.manager(w.api)
	w.drive(r, p, begun)
	f, err := runplan.Decode(w.plans()[0].Data[runplan.KeyPlan], w.plans()[0].Data[runplan.KeySnapshot])
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range f.Plan.Targets {
		if a := target.Address.String(); a != "10.244.1.5" && a != "10.244.2.5" {
			t.Errorf("the plan has %s", a)
		}
	}
	if len(f.Refused) != len(forged) {
		t.Errorf("%d endpoints left out; want each forged one: %v", len(f.Refused), f.Refused)
	}
	done := w.drive(r, p, over(1))
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	message := w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
	if !strings.HasPrefix(message, "10 not probed: ") {
		t.Errorf("message %q", message)
	}
	w.empty()
}

// flood writes more slices of the Service than a Service can need.
func (w *world) flood() {
	w.Helper()
	for i := range target.MostClaims/1000 + 1 {
		flood := controllertest.Slice(w.tenant, "web", fmt.Sprint("-flood-", i), nil, "10.0.0.1")
		one := flood.Endpoints[0]
		flood.Endpoints = nil
		for j := range 1000 {
			one.Addresses = []string{fmt.Sprintf("10.%d.%d.%d", i, j/250, 1+j%250)}
			flood.Endpoints = append(flood.Endpoints, one)
		}
		w.create(flood)
	}
}

// TestTooManyClaims: whoever writes more slices than a Service can need is refused, not read into memory.
func TestTooManyClaims(t *testing.T) {
	w := furnished(t)
	w.flood()
	p := w.probe()
	w.pass(w.manager(w.api), p)
	message := w.condition(w.get(p), v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonNotSupported)
	if !strings.Contains(message, "claim more than 20000 addresses") || len(w.plans()) > 0 {
		t.Errorf("message %q", message)
	}
}

func TestNothingButForgeriesIsNoTarget(t *testing.T) {
	w := newWorld(t)
	mine := w.barePod("mine", "")
	w.start(mine, "10.244.1.77")
	w.create(controllertest.Slice(w.tenant, "web", "-forged", refTo(mine), apiServerAddress))
	p := w.probe()
	w.pass(w.manager(w.api), p)
	message := w.condition(w.get(p), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
	if !strings.Contains(message, "10.99.0.1:8080: it belongs to the API server") || len(w.plans()) > 0 {
		t.Errorf("message %q", message)
	}
}

// TestForgedMessages: what a prober leaves behind is believed only if it can be the answer.
func TestForgedMessages(t *testing.T) {
	for name, c := range map[string]struct {
		does   act
		reason string
		says   string
	}{
		"nonsense": {says(func(report.Summary) []byte { return []byte("PathHealthy: True") }), v1alpha1.ReasonReportInvalid,
			"no whole document"},
		"cut": {says(func(s report.Summary) []byte { b := s.Encode(); return b[:len(b)/2] }),
			v1alpha1.ReasonReportInvalid, "no whole document"},
		"another run's": {says(func(s report.Summary) []byte {
			s.Run = "yesterday"
			return s.Encode()
		}), v1alpha1.ReasonReportInvalid, `run is "yesterday"`},
		"another node's": {says(func(s report.Summary) []byte {
			s.Source = "kn1"
			return s.Encode()
		}), v1alpha1.ReasonReportInvalid, `source is "kn1"`},
		"too long": {says(func(report.Summary) []byte { return []byte(strings.Repeat("x", 4096)) }),
			v1alpha1.ReasonReportInvalid, "4096 bytes"},
		"none at all": {says(func(report.Summary) []byte { return nil }), v1alpha1.ReasonReportMissing, "no report"},
	} {
		t.Run(name, func(t *testing.T) {
			w := furnished(t)
			w.cast.acts["kn2"] = c.does
			done := w.drive(w.manager(w.api), w.probe(), over(1))
			message := w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, c.reason)
			if !strings.Contains(message, c.says) || !strings.Contains(message, "node kn2") {
				t.Errorf("message %q; want one that says %q", message, c.says)
			}
			w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, c.reason)
			w.condition(done, v1alpha1.ConditionComplete, metav1.ConditionTrue, v1alpha1.ReasonPartly)
		})
	}
}

// TestTargetThatChanged: no Fail is published about a pod that is not the one that was probed any more.
func TestTargetThatChanged(t *testing.T) {
	for name, change := range map[string]func(*world, *corev1.Pod){
		"gone": func(w *world, pod *corev1.Pod) { w.delete(pod, zeroGrace) },
		"its address reused": func(w *world, pod *corev1.Pod) {
			w.delete(pod, zeroGrace)
			w.start(w.barePod("web-1b", ""), "10.244.1.5")
		},
		"replaced under its name": func(w *world, pod *corev1.Pod) {
			w.delete(pod, zeroGrace)
			w.start(w.barePod("web-1", ""), "10.244.1.5")
		},
		"restarted": func(w *world, pod *corev1.Pod) {
			pod.Status.ContainerStatuses[0].RestartCount++
			if err := w.api.Status().Update(w.Context(), pod); err != nil {
				w.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			target := w.pod("web-1", "kn1", "10.244.1.5")
			w.cast.acts["kn2"] = func(c *cast, pod *corev1.Pod, p *plan.Plan, node string) error {
				change(w, target)
				return finds("SequenceWrap", report.SequenceZeroDropped)(c, pod, p, node)
			}
			done := w.drive(w.manager(w.api), w.probe(), over(1))
			message := w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonTargetChanged)
			if !strings.Contains(message,
				"not counted as Fail (SequenceZeroDropped): Pod web-1") || done.Status.Affected != "0/3" {
				t.Errorf("%s, %q", done.Status.Affected, message)
			}
		})
	}
}

func TestAddressReusedBeforeTheRun(t *testing.T) {
	w := newWorld(t)
	old := w.pod("web-1", "kn1", "10.244.1.5") // its slice outlives it
	w.delete(old, zeroGrace)
	w.start(w.barePod("web-2", ""), "10.244.1.5")
	p := w.probe()
	w.pass(w.manager(w.api), p)
	message := w.condition(w.get(p), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
	if !strings.Contains(message, "10.244.1.5:8080: there is no Pod web-1") {
		t.Errorf("message %q", message)
	}
}

func TestSilenceBehindAPolicy(t *testing.T) {
	w := newWorld(t)
	w.pod("web-1", "kn1", "10.244.1.5")
	w.cast.acts["kn2"] = finds("Handshake", report.Filtered)
	p := w.probe()
	r := w.manager(w.api)
	done := w.drive(r, p, over(1))
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionFalse, string(report.Filtered))
	w.create(&networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: "quiet"},
		Spec:       networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}},
	})
	w.edit(p, runAgain("behind the policy"))
	done = w.drive(r, p, over(2))
	message := w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionUnknown, v1alpha1.ReasonPolicyMayApply)
	if !strings.Contains(message, "NetworkPolicy quiet") {
		t.Errorf("message %q", message)
	}
}

// TestForeignPlanInTheStatus: a status that somebody pointed at another TCPProbe's plan neither runs nor reports it.
func TestForeignPlanInTheStatus(t *testing.T) {
	w := furnished(t)
	w.busy()
	r := w.manager(w.api)
	victim := w.get(w.drive(r, w.probe(), w.probing))
	thief := w.probe(func(p *v1alpha1.TCPProbe) { p.Namespace = w.namespace("thief-") })
	thief = w.get(thief)
	thief.Status.ActiveRun = victim.Status.ActiveRun.DeepCopy()
	if err := w.api.Status().Update(w.Context(), thief); err != nil {
		t.Fatal(err)
	}
	w.pass(r, thief)
	if now := w.get(thief); now.Status.ActiveRun != nil || now.Status.LastRun.Reported > 0 {
		t.Errorf("it goes on with the plan of another TCPProbe: %+v", now.Status.ActiveRun)
	}
	if len(w.plans()) != 1 || len(w.proberPods()) != 3 {
		t.Errorf("%d plans and %d pods; want those of the other TCPProbe left alone", len(w.plans()), len(w.proberPods()))
	}
}

// TestAddressReusedInTheQueue: a pod whose turn comes late probes nothing whose pod is another one by then.
func TestAddressReusedInTheQueue(t *testing.T) {
	w := newWorld(t)
	target := w.pod("web-1", "kn1", "10.244.1.5")
	r := w.manager(w.api, func(c *Config) { c.Caps.PerProbe = 1 })
	p := w.probe()
	w.drive(r, p, func(*v1alpha1.TCPProbe) bool { return len(w.proberPods()) == 1 })
	w.delete(target, zeroGrace)
	w.start(w.barePod("web-1b", ""), "10.244.1.5")
	w.clock.Step(11 * time.Second)
	done := w.drive(r, p, over(1))
	if n := w.cast.once(); n != 1 {
		t.Errorf("%d probers ran; want the one from before the change", n)
	}
	message := w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonTargetChanged)
	if !strings.Contains(message, "Pod web-1 is gone") {
		t.Errorf("message %q", message)
	}
}

// TestAddressReusedBeforeTheRelease: a manager dies with its pods on record and gated; the next one comes when their
// target is another pod.
func TestAddressReusedBeforeTheRelease(t *testing.T) {
	w := newWorld(t)
	target := w.pod("web-1", "kn1", "10.244.1.5")
	p := w.probe()
	dying := w.manager(interceptor.NewClient(w.api, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch,
			opts ...client.PatchOption) error {
			if _, isPod := o.(*corev1.Pod); isPod {
				return errKilled
			}
			return c.Patch(ctx, o, patch, opts...)
		},
	}))
	if _, err := w.step(dying, p); !errors.Is(err, errKilled) || len(w.proberPods()) != 3 {
		t.Fatalf("%d pods, %v; want 3 that are not released", len(w.proberPods()), err)
	}
	w.delete(target, zeroGrace)
	w.start(w.barePod("web-1b", ""), "10.244.1.5")
	w.clock.Step(11 * time.Second)
	done := w.drive(w.manager(w.api), p, over(1))
	if n := w.cast.once(); n != 0 {
		t.Errorf("%d probers ran", n)
	}
	w.condition(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonTargetChanged)
	w.empty()
}
