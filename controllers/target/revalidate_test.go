package target

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// consents is a change of the cluster: the Service's owner lets AcceptQueue fill its queues, and the namespace pay
// probe it.
var consents = of("web", func(s *corev1.Service) {
	s.Annotations = map[string]string{v1alpha1.AcceptQueueAnnotation: "true", v1alpha1.AllowFromAnnotation: "pay"}
})

const noQueueConsent = "ConsentMissing: AcceptQueue fills the queue of the pods behind Service web, " +
	"which turns clients away meanwhile, and for good where the application has stalled; " +
	"whoever owns the Service can allow that by its annotation tcpprobe.dev/allow-accept-queue: \"true\", " +
	"or remove the scenario"

const changed = "TargetChanged: not probed: "

// revalidation is one question whether a run may go on, and the answer.
type revalidation struct {
	tenant  string // shop unless set
	cluster []client.Object
	planned *Snapshot
	targets []int // all unless set
	fills   bool
	fails   string
	want    string
}

func (c revalidation) check(t *testing.T) {
	t.Helper()
	r, calls := resolverOf(c.cluster...)
	r.Allow.Addresses, _ = ParseRanges(everyRange)
	calls.fail(c.fails)
	if c.tenant == "" {
		c.tenant = "shop"
	}
	if c.targets == nil {
		for i := range c.planned.Endpoints {
			c.targets = append(c.targets, i)
		}
	}
	refusal, err := r.Revalidate(t.Context(), c.tenant, c.planned, c.targets, c.fills)
	if refusal != nil && err != nil {
		t.Errorf("refused, %v, and failed: %v", refusal, err)
	}
	if refusal != nil {
		err = refusal
	}
	expectError(t, err, c.want)
}

// TestTargetsThatMovedAreNotProbed: before a pod's turn comes, whatever it would probe is looked at again.
func TestTargetsThatMovedAreNotProbed(t *testing.T) {
	unused := plannedPods()
	unused.Endpoints = append([]Endpoint{viaClusterIP("10.96.0.7")}, unused.Endpoints...)
	for name, c := range map[string]revalidation{
		"nothing changed": {cluster: shop(), planned: planned()},
		"replaced": {cluster: shop(replaced), planned: plannedPods(),
			want: changed + "Pod web-2 was replaced before its turn came (10.244.1.6:8080)"},
		"replaced, after a target without a pod": {cluster: shop(replaced), planned: unused,
			want: changed + "Pod web-2 was replaced before its turn came (10.244.1.6:8080)"},
		"replaced, but another one's turn": {cluster: shop(replaced), planned: plannedPods(), targets: []int{0}},
		"gone": {cluster: without[*corev1.Pod]("web-1", shop()), planned: plannedPods(),
			want: changed + "Pod web-1 is gone before its turn came (10.244.1.5:8080)"},
		"restarted": {cluster: shop(restarted), planned: plannedPods()},
		"Pod deleted, but its turn is over": {cluster: without[*corev1.Pod]("web-1", shop()), planned: plannedPods(),
			targets: []int{1}},
		"another ClusterIP": {cluster: shop(readdress), planned: planned(),
			want: changed + "Service web has another ClusterIP or port before its turn came"},
		"another ClusterIP, which is not probed": {cluster: shop(readdress), planned: plannedPods()},
	} {
		t.Run(name, c.check)
	}
}

// TestWithdrawnConsentIsObeyed: of the Service's owner to another namespace or to AcceptQueue, and of the
// administrator to an address. One's own Service needs no consent to be probed.
func TestWithdrawnConsentIsObeyed(t *testing.T) {
	none := without[*corev1.Service]("web", shop())
	const noRange = "AddressNotAllowed: 10.1.2.3 is in none of the ranges of the annotation tcpprobe.dev/allowed-cidrs " +
		"of Namespace shop, which an administrator sets; it has: "
	for name, c := range map[string]revalidation{
		"foreign, with consent": {tenant: "pay", cluster: shop(consents), planned: plannedPods()},
		"foreign, without":      {tenant: "pay", cluster: shop(), planned: plannedPods(), want: noConsent},
		"foreign, but no moved pod hides that": {tenant: "pay", cluster: shop(replaced), planned: plannedPods(),
			want: noConsent},
		"foreign and deleted":    {tenant: "pay", cluster: none, planned: plannedPods(), want: noConsent},
		"one's own and deleted":  {cluster: none, planned: plannedPods()},
		"queue, with consent":    {cluster: shop(consents), planned: plannedPods(), fills: true},
		"queue, without consent": {cluster: shop(), planned: plannedPods(), fills: true, want: noQueueConsent},
		"queue, deleted": {cluster: none, planned: plannedPods(), fills: true,
			want: "ServiceNotFound: there is no Service web in namespace shop"},
		"address, allowed":     {cluster: shop(allowing(everyRange)), planned: plannedAddress()},
		"address, not allowed": {cluster: shop(), planned: plannedAddress(), want: noRange + "none"},
		"address, another allowed": {cluster: shop(allowing("10.2.0.0/16")), planned: plannedAddress(),
			want: noRange + "10.2.0.0/16"},
	} {
		t.Run(name, c.check)
	}
}

// TestNothingIsProbedThatCannotBeRevalidated: an error of the API server is no consent.
func TestNothingIsProbedThatCannotBeRevalidated(t *testing.T) {
	allowed := shop(allowing(everyRange), consents)
	const down = ": the API server is down"
	for name, c := range map[string]revalidation{
		"foreign Service": {tenant: "pay", cluster: allowed, planned: plannedPods(), fails: "Service shop/web",
			want: "error: read Service shop/web" + down},
		"Service of a queue": {cluster: allowed, planned: plannedPods(), fills: true, fails: "Service shop/web",
			want: "error: read Service shop/web" + down},
		"nodes": {cluster: allowed, planned: plannedAddress(), fails: "NodeList ", want: "error: list nodes" + down},
		"ranges": {cluster: allowed, planned: plannedAddress(), fails: "PartialObjectMetadata shop",
			want: "error: read Namespace shop" + down},
		"slices": {cluster: allowed, planned: planned(), fails: webSlices,
			want: "error: list the EndpointSlices of Service shop/web" + down},
		"pods": {cluster: allowed, planned: plannedPods(), fails: "Pod shop/web-2",
			want: "error: read Pod shop/web-2" + down},
		"pods of others": {cluster: allowed, planned: plannedPods(), targets: []int{0}, fails: "Pod shop/web-2"},
	} {
		t.Run(name, c.check)
	}
}

// TestSparedPodHasToServe: while the pod that was to keep serving does not, no queue is filled. Other questions are
// asked.
func TestSparedPodHasToServe(t *testing.T) {
	s := plannedPods()
	s.Spared = []string{"web-2"}
	const serve = ", which was to keep serving while AcceptQueue fills the queues of others"
	gone := without[*corev1.Pod]("web-2", shop(consents))
	for _, c := range []revalidation{
		{cluster: shop(consents), fills: true},
		{cluster: gone, fills: true, want: changed + "Pod web-2 is gone" + serve},
		{cluster: shop(consents, replaced), fills: true, want: changed + "Pod web-2 was replaced" + serve},
		{cluster: shop(consents, unready), fills: true, want: changed + "Pod web-2 is not Ready" + serve},
		{cluster: shop(consents, restarted), fills: true},
		{cluster: shop(consents, unready)},
	} {
		c.planned, c.targets = s, []int{0}
		c.check(t)
	}
}
