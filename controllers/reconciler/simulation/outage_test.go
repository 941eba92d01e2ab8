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
func (w *world) outage(node string, long time.Duration) {
	set := func(status corev1.ConditionStatus) {
		n := controllertest.Node(node, "")
		n.UID = ""
		change(w.server, n, func(n *corev1.Node) bool { n.Status.Conditions[0].Status = status; return true })
	}
	w.oracle.nodeDown(node, true)
	set(corev1.ConditionFalse)
	w.sleep(long)
	set(corev1.ConditionTrue)
	w.oracle.nodeDown(node, false)
}

// targetOut has the target's pod not Ready for so long: pods that probe it are ended.
func (w *world) targetOut(long time.Duration) {
	pod := find[corev1.Pod](w.server, targetName)
	w.say("the target is not Ready")
	w.oracle.targetGone(pod.UID, true)
	set := func(status corev1.ConditionStatus) {
		change(w.server, pod, func(p *corev1.Pod) bool { p.Status.Conditions[0].Status = status; return true })
	}
	set(corev1.ConditionFalse)
	w.sleep(long)
	set(corev1.ConditionTrue)
	w.say("the target is Ready")
}

// quota has the probe namespace's quota used for so long: no pod can be created.
func (w *world) quota(long time.Duration) {
	w.say("the quota is used for %v", long)
	until := time.Now().Add(long)
	w.mu.Lock()
	w.fullUntil = until
	w.mu.Unlock()
	w.oracle.refusedUntil(v1alpha1.ReasonQuota, until)
	w.sleep(long)
}

func (w *world) full() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Before(w.fullUntil)
}

// tooLarge has the first Service claim more addresses than are read, for so long: its runs wait, and those under way
// go on.
func (w *world) tooLarge(long time.Duration) {
	slice := controllertest.Slice(shop, w.names[0], "-1", nil)
	set := func(edit func(*discoveryv1.Endpoint)) {
		change(w.server, slice, func(s *discoveryv1.EndpointSlice) bool { edit(&s.Endpoints[0]); return true })
	}
	w.say("Service %s is too large", w.names[0])
	set(func(e *discoveryv1.Endpoint) {
		for range target.MostClaims {
			e.Addresses = append(e.Addresses, e.Addresses[0])
		}
	})
	w.sleep(long)
	set(func(e *discoveryv1.Endpoint) { e.Addresses = e.Addresses[:1] })
}

// madeAnew deletes one in so many pods just after it was created, and creates another one of its name: gated, and of
// the same plan. Whoever saw the first one must not take the second one for it.
const madeAnew = 25

func (w *world) makeAnew(pod *corev1.Pod) {
	dice := w.dice("anew", string(pod.UID))
	soon := 10 * time.Millisecond
	if w.slow() {
		soon = 3 * time.Second
	}
	if dice.IntN(madeAnew) > 0 || !w.sleep(exponential(dice, soon)) {
		return
	}
	if now := find[corev1.Pod](w.server, nameOf(pod)); now == nil || now.UID != pod.UID {
		return
	}
	w.say("%s is made anew", pod.Name)
	w.oracle.blame(pod.Labels[runplan.LabelRun], pod.Annotations[runplan.AnnotationSource], v1alpha1.ReasonPodDeleted)
	_ = w.server.remove(pod, pod.UID)
	_, _ = w.server.create(client.Object(pod.DeepCopy())) // not, if a manager was faster
}
