package target

import (
	"context"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// claiming is a Resolver of a cluster whose Service web has one slice with this many addresses.
func claiming(addresses int) *Resolver {
	slice := controllertest.Slice("shop", "web", "-a", webRef(), "10.244.1.5")
	slice.Endpoints[0].Addresses = make([]string, addresses)
	r, _ := resolverOf(slice)
	return r
}

// TestServiceClaimsTooMuch: a slice counts as one, and each of its addresses as one more; 20,000 are read.
func TestServiceClaimsTooMuch(t *testing.T) {
	kept, err := claiming(19999).slicesOf(t.Context(), "shop", "web")
	if err != nil || len(kept) != 1 {
		t.Errorf("%d slices, %v", len(kept), err)
	}
	kept, err = claiming(20000).slicesOf(t.Context(), "shop", "web")
	expectError(t, err, "TooLarge: the EndpointSlices of Service web claim more than 20000 addresses: "+
		"split the Service, or delete the slices that are not its own")
	if kept != nil {
		t.Errorf("%d slices", len(kept))
	}
}

// TestWhatIsKeptOfASlice: its version and what it claims, and of the Service's own slices alone.
func TestWhatIsKeptOfASlice(t *testing.T) {
	own := withUID("slice-a", controllertest.Slice("shop", "web", "-a", webRef(), "10.244.1.5"))
	r, calls := resolverOf(own, controllertest.Slice("shop", "db", "-a", webRef(), "10.244.1.6"),
		controllertest.Slice("pay", "web", "-a", webRef(), "10.244.1.7"))
	kept, err := r.slicesOf(t.Context(), "shop", "web")
	want := []discoveryv1.EndpointSlice{{ObjectMeta: metav1.ObjectMeta{UID: "slice-a", Generation: 1},
		AddressType: own.AddressType, Ports: own.Ports, Endpoints: own.Endpoints}}
	if err != nil || !equality.Semantic.DeepEqual(kept, want) {
		t.Errorf("kept %+v, %v; want %+v", kept, err, want)
	}
	calls.fail(webSlices)
	_, err = r.slicesOf(t.Context(), "shop", "web")
	expectError(t, err, "error: list the EndpointSlices of Service shop/web: the API server is down")
}

// pagedSlices serves one slice a page; each page is named by the token of the one before.
type pagedSlices struct {
	client.Reader
	next map[string]string
}

func (p pagedSlices) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(options)
	page := list.(*discoveryv1.EndpointSliceList)
	page.Continue = p.next[o.Continue]
	page.Items = []discoveryv1.EndpointSlice{{AddressType: discoveryv1.AddressType("after " + o.Continue)}}
	return nil
}

// TestEveryPageOfSlicesIsRead: a page that was left out might be the one that is refused.
func TestEveryPageOfSlicesIsRead(t *testing.T) {
	r := &Resolver{Live: pagedSlices{next: map[string]string{"": "one", "one": "two", "two": ""}}}
	kept, err := r.slicesOf(t.Context(), "shop", "web")
	if err != nil || len(kept) != 3 || kept[0].AddressType != "after " || kept[1].AddressType != "after one" ||
		kept[2].AddressType != "after two" {
		t.Errorf("kept %+v, %v", kept, err)
	}
}
