package limits

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// Held counts probe pods, and the packets that they may send.
type Held struct {
	Total    int
	ByNode   map[string]int
	FromNode map[string]int // packets a second
	ToTarget map[string]int // packets a second, by key
}

func newHeld() *Held {
	return &Held{ByNode: make(map[string]int), FromNode: make(map[string]int), ToTarget: make(map[string]int)}
}

func (h *Held) add(node string, l Load) {
	h.Total++
	h.ByNode[node]++
	h.send(node, l)
}

func (h *Held) send(node string, l Load) {
	h.FromNode[node] += l.PerSecond()
	for _, key := range l.Targets {
		h.ToTarget[key] += l.Rate
	}
}

// Occupancy is what all probe pods hold at one moment. Pods that have ended hold nothing.
type Occupancy struct {
	*Held
	byNamespace map[string]*Held // of the TCPProbe
	ByProbe     map[string]int   // pods, by UID of the TCPProbe
}

// OccupancyOf counts these probe pods, without those that have ended.
func OccupancyOf(pods []corev1.Pod) Occupancy {
	o := Occupancy{Held: newHeld(), byNamespace: make(map[string]*Held), ByProbe: make(map[string]int)}
	for i := range pods {
		if pod := &pods[i]; !Ended(pod) {
			o.take(pod.Labels[runplan.LabelNamespace], pod.Labels[runplan.LabelUID],
				pod.Annotations[runplan.AnnotationSource], annotatedLoad(pod))
		}
	}
	return o
}

// of is what the namespace's TCPProbes hold.
func (o *Occupancy) of(namespace string) *Held {
	if o.byNamespace[namespace] == nil {
		o.byNamespace[namespace] = newHeld()
	}
	return o.byNamespace[namespace]
}

func (o *Occupancy) take(namespace, probe, node string, l Load) {
	o.add(node, l)
	o.of(namespace).add(node, l)
	o.ByProbe[probe]++
}

// Ended reports whether the pod has ended for good. Such a pod takes no place.
func Ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}
