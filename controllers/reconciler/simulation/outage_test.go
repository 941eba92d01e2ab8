package simulation

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// outage has a node NotReady for so long.
func (s *simulation) outage(node string, long time.Duration) {
	set := func(status corev1.ConditionStatus) {
		n := controllertest.Node(node, "")
		n.UID = ""
		change(s.server, n, func(n *corev1.Node) bool { n.Status.Conditions[0].Status = status; return true })
	}
	s.oracle.nodeDown(node, true)
	set(corev1.ConditionFalse)
	s.sleep(long)
	set(corev1.ConditionTrue)
	s.oracle.nodeDown(node, false)
}

// targetOut has the target's pod not Ready for so long: pods that probe it are ended.
func (s *simulation) targetOut(long time.Duration) {
	pod := find[corev1.Pod](s.server, targetName)
	s.say("the target is not Ready")
	s.oracle.targetGone(pod.UID, true)
	set := func(status corev1.ConditionStatus) {
		change(s.server, pod, func(p *corev1.Pod) bool { p.Status.Conditions[0].Status = status; return true })
	}
	set(corev1.ConditionFalse)
	s.sleep(long)
	set(corev1.ConditionTrue)
	s.say("the target is Ready")
}

// quota has the probe namespace's quota used for so long: no pod can be created.
func (s *simulation) quota(long time.Duration) {
	s.say("the quota is used for %v", long)
	until := time.Now().Add(long)
	s.mu.Lock()
	s.fullUntil = until
	s.mu.Unlock()
	s.oracle.refusedUntil(v1alpha1.ReasonQuota, until)
	s.sleep(long)
}

func (s *simulation) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.fullUntil)
}

// tooLarge has the first Service claim more addresses than are read, for so long: its runs wait, and those under way
// go on.
func (s *simulation) tooLarge(long time.Duration) {
	slice := controllertest.Slice(shop, s.names[0], "-1", nil)
	set := func(edit func(*discoveryv1.Endpoint)) {
		change(s.server, slice, func(s *discoveryv1.EndpointSlice) bool { edit(&s.Endpoints[0]); return true })
	}
	s.say("Service %s is too large", s.names[0])
	set(func(e *discoveryv1.Endpoint) {
		for range target.MostClaims {
			e.Addresses = append(e.Addresses, e.Addresses[0])
		}
	})
	s.sleep(long)
	set(func(e *discoveryv1.Endpoint) { e.Addresses = e.Addresses[:1] })
}

// madeAnew deletes one in so many pods just after it was created, and creates another one of its name: gated, and of
// the same plan. Whoever saw the first one must not take the second one for it.
const madeAnew = 25

func (s *simulation) makeAnew(pod *corev1.Pod) {
	random := s.random("anew", string(pod.UID))
	soon := 10 * time.Millisecond
	if s.slow() {
		soon = 3 * time.Second
	}
	if random.IntN(madeAnew) > 0 || !s.sleep(exponential(random, soon)) {
		return
	}
	if now := find[corev1.Pod](s.server, nameOf(pod)); now == nil || now.UID != pod.UID {
		return
	}
	s.say("%s is made anew", pod.Name)
	s.oracle.blame(pod.Labels[runplan.LabelRun], pod.Annotations[runplan.AnnotationSource], v1alpha1.ReasonPodDeleted)
	_ = s.server.remove(pod, pod.UID)
	_, _ = s.server.create(client.Object(pod.DeepCopy())) // not, if a manager was faster
}
