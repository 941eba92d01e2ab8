package target

import (
	"context"
	"fmt"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestMaxPods: a run reads at most 256 pods, however many the Service has.
func TestMaxPods(t *testing.T) {
	asked, _ := claims(1000)
	if n := len(podsToRead(asked, "seed")); n != 256 {
		t.Errorf("%d pods are read for one run", n)
	}
}

// TestMostKept: so many NetworkPolicies are read of a namespace, and so many bytes of a UID are kept.
func TestMostKept(t *testing.T) {
	if mostPolicies != 1000 || maxUID != 64 {
		t.Errorf("%d NetworkPolicies, %d bytes of a UID", mostPolicies, maxUID)
	}
}

// endlessSlices serves EndpointSlices without end, and counts the pages.
type endlessSlices struct {
	client.Reader
	addresses int // of each slice
	pages     int
	most      int64 // slices of a page
}

func (e *endlessSlices) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
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

// TestSlicesRead: slices are read 16 at a time, until they claim more than 20,000 addresses.
func TestSlicesRead(t *testing.T) {
	for addresses, pages := range map[int]int{1: 626, 1249: 2, 99: 13} {
		e := &endlessSlices{addresses: addresses}
		if _, err := (&Resolver{Live: e}).slicesOf(t.Context(), "shop", "web"); err == nil {
			t.Fatal("endless slices are not refused")
		}
		if e.pages != pages || e.most != 16 {
			t.Errorf("%d addresses a slice: refused after %d pages of %d slices; want %d of 16", addresses, e.pages, e.most,
				pages)
		}
	}
}
