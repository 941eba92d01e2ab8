//go:build envtest

package reconciler

import (
	"fmt"
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// forgeries are slices of the Service, each with one address that the tenant must not probe.
func forgeries(env *testEnv) []*discoveryv1.EndpointSlice {
	mine := env.barePod("mine", "")
	env.startPod(mine, "10.244.1.77")
	foreign := env.barePod("victim", "")
	foreign.Namespace = env.namespace("victim-")
	env.startPod(foreign, "10.244.1.78")
	host := env.barePod("host", "")
	host.Spec.HostNetwork = true
	env.startPod(host, "10.244.1.79")
	stranger := env.barePod("stranger", "")
	stranger.Labels = map[string]string{"app": "db"}
	env.startPod(stranger, "10.244.1.80")
	ghost := refTo(mine)
	ghost.UID = "00000000-0000-4000-8000-000000000000"
	return []*discoveryv1.EndpointSlice{
		controllertest.Slice(env.tenant, "web", "-api-server", refTo(mine), apiServerAddress),
		controllertest.Slice(env.tenant, "web", "-node", refTo(mine), "192.168.7.2"),
		controllertest.Slice(env.tenant, "web", "-metadata", refTo(mine), "100.100.100.200"),
		controllertest.Slice(env.tenant, "web", "-azure", refTo(mine), "168.63.129.16"),
		controllertest.Slice(env.tenant, "web", "-other-pod", refTo(mine), "10.244.9.9"),
		controllertest.Slice(env.tenant, "web", "-foreign", refTo(foreign), "10.244.1.78"),
		controllertest.Slice(env.tenant, "web", "-host", refTo(host), "10.244.1.79"),
		controllertest.Slice(env.tenant, "web", "-stranger", refTo(stranger), "10.244.1.80"),
		controllertest.Slice(env.tenant, "web", "-ghost", ghost, "10.244.1.77"),
		controllertest.Slice(env.tenant, "web", "-nobody", nil, "10.244.1.81"),
	}
}

// TestForgedEndpoints: a tenant writes one EndpointSlice for each kind of address that must not be probed. (The API
// server itself refuses loopback, link-local and multicast addresses in slices; endpoint_test.go has them.)
func TestForgedEndpoints(t *testing.T) {
	env := newTestEnvWithPods(t)
	forged := forgeries(env)
	for _, s := range forged {
		env.create(s)
	}
	p := env.probe()
	r := env.manager(env.api)
	env.runUntil(r, p, runStarted)
	rp, err := runplan.Decode(env.plans()[0].Data[runplan.KeyPlan], env.plans()[0].Data[runplan.KeySnapshot])
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range rp.Plan.Targets {
		if a := target.Address.String(); a != "10.244.1.5" && a != "10.244.2.5" {
			t.Errorf("the plan has %s", a)
		}
	}
	if len(rp.Refused) != len(forged) {
		t.Errorf("%d endpoints refused; want each forged one: %v", len(rp.Refused), rp.Refused)
	}
	done := env.runUntil(r, p, runEnded(1))
	env.expect(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	message := env.expect(done, v1alpha1.ConditionCovered, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
	if !strings.HasPrefix(message, "10 not probed: ") {
		t.Errorf("message %q", message)
	}
	env.requireNothingLeft()
}

// createTooManySlices writes more slices of the Service than are read.
func (env *testEnv) createTooManySlices() {
	env.Helper()
	for i := range target.MostClaims/1000 + 1 {
		flood := controllertest.Slice(env.tenant, "web", fmt.Sprint("-flood-", i), nil, "10.0.0.1")
		one := flood.Endpoints[0]
		flood.Endpoints = nil
		for j := range 1000 {
			one.Addresses = []string{fmt.Sprintf("10.%d.%d.%d", i, j/250, 1+j%250)}
			flood.Endpoints = append(flood.Endpoints, one)
		}
		env.create(flood)
	}
}

// TestTooManyClaims: a Service with more slices than any Service needs is refused. They are not read into memory.
func TestTooManyClaims(t *testing.T) {
	env := newTestEnvWithPods(t)
	env.createTooManySlices()
	p := env.probe()
	env.reconcile(env.manager(env.api), p)
	message := env.expect(env.get(p), v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonTooLarge)
	if !strings.Contains(message, "claim more than 20000 addresses") || len(env.plans()) > 0 {
		t.Errorf("message %q", message)
	}
}

func TestOnlyForgedEndpoints(t *testing.T) {
	env := newTestEnv(t)
	mine := env.barePod("mine", "")
	env.startPod(mine, "10.244.1.77")
	env.create(controllertest.Slice(env.tenant, "web", "-forged", refTo(mine), apiServerAddress))
	p := env.probe()
	env.reconcile(env.manager(env.api), p)
	message := env.expect(env.get(p), v1alpha1.ConditionComplete, metav1.ConditionFalse, v1alpha1.ReasonEndpointsRefused)
	if !strings.Contains(message, "10.99.0.1:8080: it belongs to the API server") || len(env.plans()) > 0 {
		t.Errorf("message %q", message)
	}
}
