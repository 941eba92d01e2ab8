package target

import (
	"maps"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestWhatIsSaidOfATargetOfAnotherTime: Recheck names each target that is not what was probed.
func TestWhatIsSaidOfATargetOfAnotherTime(t *testing.T) {
	goneSlices := of("web-a", func(s *discoveryv1.EndpointSlice) { s.Generation++ })
	mixed := plannedPods()
	mixed.Endpoints = append(plannedAddress().Endpoints, mixed.Endpoints...)
	for name, c := range map[string]struct {
		cluster []client.Object
		planned *Snapshot
		probed  []int
		want    map[int]Change
	}{
		"nothing changed": {shop(), planned(), []int{0, 1, 2}, nil},
		"replaced": {shop(replaced), planned(), []int{0, 1, 2},
			map[int]Change{0: {What: "Pod web-2 was replaced", Moved: true}, 2: {What: "Pod web-2 was replaced", Moved: true}}},
		"replaced, and not probed": {shop(replaced), plannedPods(), []int{0}, nil},
		"restarted": {shop(restarted), planned(), []int{0, 1, 2},
			map[int]Change{0: {What: "Pod web-2 restarted", Moved: true}, 2: {What: "Pod web-2 restarted"}}},
		"not Ready": {shop(unready), planned(), []int{0, 1, 2},
			map[int]Change{2: {What: "Pod web-2 is not Ready", Unready: true}}},
		"slices": {shop(goneSlices), planned(), []int{0, 1, 2},
			map[int]Change{0: {What: "the EndpointSlices of Service web were changed", Moved: true}}},
		"slices, of no ClusterIP": {shop(goneSlices), plannedPods(), []int{0, 1}, nil},
		"an address":              {shop(), plannedAddress(), []int{0}, nil},
		"after an address": {shop(replaced), mixed, []int{0, 1, 2},
			map[int]Change{2: {What: "Pod web-2 was replaced", Moved: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			r, calls := resolverOf(c.cluster...)
			calls.fail("NetworkPolicyList shop") // no target is silent
			found, err := r.Recheck(t.Context(), "shop", c.planned, c.probed, nil)
			if err != nil || !maps.Equal(found.Changed, c.want) || found.Changed == nil || found.Policy == nil {
				t.Errorf("found %+v, %v; want %+v", found, err, c.want)
			}
		})
	}
}

// TestPoliciesThatMayShieldASilentTarget: a policy is named for the pods that it selects, if they are silent.
func TestPoliciesThatMayShieldASilentTarget(t *testing.T) {
	policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "deny"},
		Spec: networkingv1.NetworkPolicySpec{PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"tier": "1"}}}}
	elsewhere := policy.DeepCopy()
	elsewhere.Namespace, elsewhere.Name = "pay", "elsewhere"
	selected := of("web-1", func(p *corev1.Pod) { p.Labels["tier"] = "1" })
	for name, c := range map[string]struct {
		cluster []client.Object
		silent  []int
		want    map[int]string
	}{
		"one selected":     {append(shop(selected), policy, elsewhere), []int{0}, map[int]string{0: "deny"}},
		"one not selected": {append(shop(selected), policy, elsewhere), []int{1}, nil},
		"both":             {append(shop(selected), policy, elsewhere), []int{0, 1}, map[int]string{0: "deny"}},
		"gone":             {append(without[*corev1.Pod]("web-1", shop()), policy), []int{0, 1}, nil},
		"no policy":        {shop(selected), []int{0, 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := resolverOf(c.cluster...)
			silent := make(map[int]bool)
			for _, target := range c.silent {
				silent[target] = true
			}
			found, err := r.Recheck(t.Context(), "shop", plannedPods(), []int{0, 1}, silent)
			if err != nil || !maps.Equal(found.Policy, c.want) {
				t.Errorf("policies %v, %v; want %v", found.Policy, err, c.want)
			}
		})
	}
}

// TestRecheckFailsIfTheClusterCannotBeRead: what it found until then is there.
func TestRecheckFailsIfTheClusterCannotBeRead(t *testing.T) {
	const down = ": the API server is down"
	for call, want := range map[string]string{
		"Pod shop/web-1":         "error: read Pod shop/web-1" + down,
		"Service shop/web":       "error: read Service shop/web" + down,
		webSlices:                "error: list the EndpointSlices of Service shop/web" + down,
		"NetworkPolicyList shop": "error: list the NetworkPolicies of namespace shop" + down,
	} {
		r, calls := resolverOf(shop(unready)...)
		calls.fail(call)
		found, err := r.Recheck(t.Context(), "shop", planned(), []int{0, 1, 2}, map[int]bool{1: true})
		expectError(t, err, want)
		if found.Changed == nil || found.Policy == nil || (call == "NetworkPolicyList shop") != (len(found.Changed) == 1) {
			t.Errorf("%s: found %+v", call, found)
		}
	}
}

// TestWhatChangesAClusterIP: its Service, or any of the slices by which it is translated.
func TestWhatChangesAClusterIP(t *testing.T) {
	const slicesChanged = "the EndpointSlices of Service web were changed"
	tooMany := of("web-a", func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Addresses = make([]string, 20001) })
	again := of("web-a", func(s *discoveryv1.EndpointSlice) { s.UID = "slice-c" })
	for name, c := range map[string]struct {
		cluster []client.Object
		planned *Snapshot
		want    string
	}{
		"nothing changed":     {shop(), planned(), ""},
		"no ClusterIP":        {nil, plannedPods(), ""},
		"deleted":             {nil, planned(), "there is no Service web in namespace shop"},
		"another ClusterIP":   {shop(readdress), planned(), "Service web has another ClusterIP or port"},
		"another port":        {shop(portChange), planned(), "Service web has another ClusterIP or port"},
		"a slice less":        {without[*discoveryv1.EndpointSlice]("web-a", shop()), planned(), slicesChanged},
		"a slice made again":  {shop(again), planned(), slicesChanged},
		"too many claims":     {shop(tooMany), planned(), slicesChanged},
		"readiness of a pod":  {shop(unready), planned(), ""},
		"another pod's reset": {shop(restarted), planned(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := resolverOf(c.cluster...)
			if got, err := r.clusterIPChanged(t.Context(), c.planned, "shop"); got != c.want || err != nil {
				t.Errorf("changed: %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// TestWhatChangesBehindAClusterIP: besides, any pod that it leads to. Readiness is in the slices.
func TestWhatChangesBehindAClusterIP(t *testing.T) {
	for _, c := range []struct {
		cluster []client.Object
		planned *Snapshot
		want    string
	}{
		{shop(), planned(), ""},
		{nil, plannedPods(), ""},
		{shop(unready), planned(), ""},
		{shop(unready, readdress), planned(), "Service web has another ClusterIP or port"},
		{shop(restarted, readdress), planned(), "Pod web-2 restarted"},
		{without[*corev1.Pod]("web-1", shop(restarted)), planned(), "Pod web-1 is gone"},
	} {
		r, _ := resolverOf(c.cluster...)
		if got, err := r.behindChanged(t.Context(), c.planned, "shop"); got != c.want || err != nil {
			t.Errorf("changed: %q, %v; want %q", got, err, c.want)
		}
	}
	for _, call := range []string{"Pod shop/web-2", "Service shop/web", webSlices} {
		r, calls := resolverOf(shop()...)
		calls.fail(call)
		if got, err := r.behindChanged(t.Context(), planned(), "shop"); got != "" || err == nil {
			t.Errorf("%s failed, but %q, %v", call, got, err)
		}
	}
}
