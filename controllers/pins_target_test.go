package controllers

import (
	"context"
	"fmt"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// TestWhenTargetsAreLookedAtAgain: nobody sends a packet on what was seen ten seconds ago. All targets of this run are gone, which
// only shows if they are looked at.
func TestWhenTargetsAreLookedAtAgain(t *testing.T) {
	s, _ := exampleScene(t, 0)
	live := fake.NewClientBuilder().Build()
	for _, c := range []struct {
		age, orderAge time.Duration // since the plan, by the TCPProbe's status and by its order
		again         bool
	}{
		{0, 0, false},
		{9 * time.Second, 0, false},
		{10*time.Second - time.Nanosecond, 0, false},
		{10 * time.Second, 0, true},
		{11 * time.Second, 0, true},
		{0, 11 * time.Second, true}, // the order is an earlier attempt's
		{11 * time.Second, 9 * time.Second, true},
		{-time.Second, -time.Second, true}, // the clock was set back
		{-time.Hour, -time.Hour, true},
	} {
		probe := exampleProbe()
		probe.Status.ActiveRun = &v1alpha1.ActiveRun{StartTime: metav1.NewTime(noon.Add(-c.age))}
		s.Order.CreationTimestamp = metav1.NewTime(noon.Add(-c.orderAge))
		p := &pass{Reconciler: &Reconciler{Live: live}, probe: probe, now: noon}
		refusal, err := p.outdated(t.Context(), s, "kn1")
		if err != nil {
			t.Fatal(err)
		}
		if again := refusal != nil && refusal.Reason == v1alpha1.ReasonTargetChanged; again != c.again {
			t.Errorf("planned %v ago, ordered %v ago: looked at again: %t; want %t", c.age, c.orderAge, again, c.again)
		}
	}
}

// TestPodsAskedFor: a Service of however many pods costs 256 live reads.
func TestPodsAskedFor(t *testing.T) {
	asked, _ := claims(1000)
	if n := len(someOf(asked, "seed")); n != 256 {
		t.Errorf("%d pods are read for one run", n)
	}
}

// endless serves EndpointSlices for ever, and counts what it is asked for.
type endless struct {
	client.Reader
	addresses int // of each slice
	pages     int
	most      int64 // slices of a page
}

func (e *endless) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(options)
	e.pages++
	e.most = max(e.most, o.Limit)
	page := list.(*discoveryv1.EndpointSliceList)
	page.Items = make([]discoveryv1.EndpointSlice, o.Limit)
	for i := range page.Items {
		page.Items[i].Endpoints = []discoveryv1.Endpoint{{Addresses: make([]string, e.addresses)}}
	}
	page.Continue = fmt.Sprint(e.pages)
	return nil
}

// TestSlicesRead: ten at a time, and no more of them once they claim more than 20,000 addresses.
func TestSlicesRead(t *testing.T) {
	for addresses, pages := range map[int]int{1: 1001, 1999: 2, 99: 21} {
		e := &endless{addresses: addresses}
		if _, err := (&Reconciler{Live: e}).slicesOf(t.Context(), "shop", "web"); err == nil {
			t.Fatal("endless slices are no reason to refuse")
		}
		if e.pages != pages || e.most != 10 {
			t.Errorf("%d addresses a slice: refused after %d pages of %d slices; want %d of 10", addresses, e.pages, e.most, pages)
		}
	}
}
