//go:build e2e

package e2e

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// expose creates a Service for another port of the web servers.
func (s tenant) expose(t *testing.T, name string, port int) *corev1.Service {
	t.Helper()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"},
			Ports: []corev1.ServicePort{{Port: int32(port), TargetPort: intstr.FromInt(port)}}},
	}
	create(t, service)
	return service
}

func ofService(service string) func(*v1alpha1.TCPProbeSpec) {
	return func(s *v1alpha1.TCPProbeSpec) { s.Target.Service.Name = service }
}

func withFinReorder(name string, trigger v1alpha1.Trigger) func(*v1alpha1.TCPProbeSpec) {
	return func(s *v1alpha1.TCPProbeSpec) {
		s.Scenarios = []v1alpha1.Scenario{{Name: name, Type: v1alpha1.FinReorder,
			FinReorder: &v1alpha1.FinReorderOptions{Trigger: trigger}}}
	}
}

// TestFinReorder: this kernel accepts the overtaken FIN. The notes say what the Pass does not show.
func TestFinReorder(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	for _, c := range []struct {
		name    string
		trigger v1alpha1.Trigger
		port    int
	}{
		{"http-get", v1alpha1.Trigger{HTTPGet: &v1alpha1.HTTPGet{Path: "/"}}, 8080},
		{"on-accept", v1alpha1.Trigger{OnAccept: &v1alpha1.OnAccept{}}, 8081},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.expose(t, c.name, c.port)
			p := s.probe(t, ofService(c.name), withFinReorder(c.name, c.trigger))
			waitForRun(t, p, 1)
			expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
			notes := strings.Join(p.Status.LastRun.Notes, "\n")
			if !strings.Contains(notes, "FinReorder "+c.name+": ") || !strings.Contains(notes, "does not show") {
				t.Errorf("notes %q; want what a Pass does not show", notes)
			}
		})
	}
	expectNoTrace(t, s.server(t, "kn2"))
}

func withAcceptQueue(most int32) func(*v1alpha1.TCPProbeSpec) {
	return func(s *v1alpha1.TCPProbeSpec) {
		s.Scenarios = []v1alpha1.Scenario{{Type: v1alpha1.AcceptQueue,
			AcceptQueue: &v1alpha1.AcceptQueueOptions{MaxConnections: most}}}
	}
}

// TestAcceptQueue: without consent no queue is filled. With consent, two of three queues are found full, and stay
// full.
func TestAcceptQueue(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	service := s.expose(t, "stalled", 8082)
	p := s.probe(t, ofService("stalled"), withAcceptQueue(64))
	eventually(t, func() string {
		refresh(t, p)
		c := condition(p, v1alpha1.ConditionAccepted)
		if c.Status != metav1.ConditionFalse || c.Reason != v1alpha1.ReasonConsentMissing {
			return "not refused: " + c.Message
		}
		return ""
	})
	if pods := probePods(t, p); len(pods) != 0 {
		t.Errorf("%d probe pods without consent", len(pods))
	}
	consent(t, service, v1alpha1.AllowAcceptQueue)
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionFalse, string(report.QueueOverflowed))
	if pairs := p.Status.Pairs; pairs.Planned != 2 || pairs.Fail != 2 {
		t.Errorf("pairs %+v; want two of three servers, each asked once", pairs)
	}
	if q := p.Status.Findings[0].Queue; q == nil || q.Least != 6 || q.Freed {
		t.Errorf("queue %+v; want the six of a backlog of five, still full", q)
	}
}

func consent(t *testing.T, service *corev1.Service, value string) {
	t.Helper()
	before := service.DeepCopy()
	metav1.SetMetaDataAnnotation(&service.ObjectMeta, v1alpha1.AcceptQueueAnnotation, value)
	if err := cluster.client.Patch(t.Context(), service, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// TestQueueOfAServerThatAccepts: the queue of a server that accepts is never full.
func TestQueueOfAServerThatAccepts(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	consent(t, s.expose(t, "busy", 8080), v1alpha1.AllowOnlyEndpoint)
	p := s.probe(t, ofService("busy"), withAcceptQueue(64))
	waitForRun(t, p, 1)
	expectHealth(t, p, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	if p.Status.Pairs.Planned != 3 {
		t.Errorf("pairs %+v; want every server once", p.Status.Pairs)
	}
	expectNoTrace(t, s.server(t, "kn2"))
}
