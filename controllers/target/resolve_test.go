package target

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// claims are n true claims with their pods.
func claims(n int) ([]Candidate, map[string]*corev1.Pod) {
	pods := make(map[string]*corev1.Pod)
	var out []Candidate
	for i := range n {
		pod := webPod()
		pod.Name, pod.UID = fmt.Sprintf("web-%04d", i), types.UID(fmt.Sprint("uid-", i))
		pod.Status.PodIPs = []corev1.PodIP{{IP: fmt.Sprintf("10.244.%d.%d", i/250, i%250+1)}}
		pods[pod.Name] = pod
		c := claim(pod.Status.PodIPs[0].IP)
		c.Ref.Name, c.Ref.UID = pod.Name, pod.UID
		out = append(out, c)
	}
	return out, pods
}

func TestAdmission(t *testing.T) {
	asked, pods := claims(4)
	pods["web-0000"].Status.Conditions = nil
	pods["web-0001"].Labels = nil
	pods["web-0002"] = nil
	res := &Resolved{Service: webService()}
	notReady := res.admit(asked, pods)
	if notReady != 1 || len(res.Endpoints) != 1 || res.Endpoints[0].Pod != "web-0003" || len(res.Refused) != 2 {
		t.Errorf("%d not ready, %d admitted, left out: %v", notReady, len(res.Endpoints), res.Refused)
	}
	if err := endpointRules.check(res); err != nil {
		t.Errorf("one endpoint is enough, but: %v", err)
	}
}

func TestNothingToProbe(t *testing.T) {
	for name, c := range map[string]struct {
		refused  []RefusedEndpoint
		notReady int
		reason   string
		says     string
	}{
		"no endpoints": {nil, 0, v1alpha1.ReasonNoEndpoints, "has no endpoints"},
		"none Ready":   {nil, 3, v1alpha1.ReasonNoEndpoints, "none of the 3 endpoints"},
		"all forged": {[]RefusedEndpoint{{"10.99.0.1:80", "it belongs to the API server"}}, 1,
			v1alpha1.ReasonEndpointsRefused, "10.99.0.1:80: it belongs to the API server"},
	} {
		err := endpointRules.check(&Resolved{Service: webService(), Refused: c.refused, NotReady: c.notReady})
		var r *Refusal
		if !errors.As(err, &r) || !r.Waiting || r.Reason != c.reason || !strings.Contains(r.Message, c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAtMostMaxPodsAreRead(t *testing.T) {
	asked, pods := claims(1000)
	names := podsToRead(asked, "seed")
	if len(names) != maxPods {
		t.Fatalf("%d pods asked", len(names))
	}
	read := make(map[string]*corev1.Pod)
	for _, name := range names {
		read[name] = pods[name]
	}
	res := &Resolved{Service: webService()}
	if notReady := res.admit(asked, read); notReady != 0 || len(res.Endpoints) != maxPods || len(res.Refused) != 0 {
		t.Errorf("%d admitted of %d that were asked; the others must not be refused: %v", len(res.Endpoints), maxPods,
			res.Refused)
	}
}

func TestNote(t *testing.T) {
	res := &Resolved{Service: webService(), Endpoints: make([]Endpoint, 4),
		Sources: Sources{Planned: []string{"kn1", "kn2"}}}
	if got := res.Note(""); got != "probing 4 endpoints of web:http from 2 nodes" {
		t.Error(got)
	}
	res.NotReady, res.Sources.Unable = 3, []UnableNode{{Name: "kn3", Why: "is not Ready"}}
	if got := res.Note(""); got != "probing 4 endpoints of web:http from 2 nodes; 3 more are not Ready; cannot probe: "+
		"kn3 is not Ready" {
		t.Error(got)
	}
}

// TestOneAddressInTwoSpellings: two slices may spell an address differently. It is still one target.
func TestOneAddressInTwoSpellings(t *testing.T) {
	asked := []Candidate{claim("fd00:244::5"), claim("fd00:244:0:0::5"), claim("10.244.1.5")}
	res := &Resolved{Service: webService()}
	res.admit(asked, map[string]*corev1.Pod{"web-1": webPod()})
	if len(res.Endpoints) != 2 {
		t.Errorf("%d endpoints; want 2", len(res.Endpoints))
	}
}
