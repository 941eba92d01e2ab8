package simulation

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
)

const (
	shop   = "shop"
	probes = "probes" // the probe namespace
)

// world is one seed: a cluster, two managers, and what happens to them.
type world struct {
	seed   uint64
	server *server
	oracle *oracle
	caps   limits.Caps
	trace  bool

	ctx context.Context
	all sync.WaitGroup

	mu        sync.Mutex
	calm      bool
	managers  []*manager
	replaced  int
	requests  int
	fullUntil time.Time // of the quota
	names     []string  // of TCPProbes and their Services
	skews     map[string]time.Duration
	lines     []string
}

// dice are those of one decision. They depend on the seed, the time and what is decided, and not on the order in which
// goroutines run. So a seed repeats.
func (w *world) dice(what ...string) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, time.Now().UnixNano(), what)
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// say keeps a line for whoever looks at one seed.
func (w *world) say(format string, args ...any) {
	if !w.trace {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, fmt.Sprintf("%s "+format, append([]any{time.Now().Format("15:04:05.000")}, args...)...))
}

// exponential is a time that is so long on average.
func exponential(dice *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(dice.ExpFloat64()*float64(mean)) + 1
}

// slow reports that each request takes 2 s.
func (w *world) slow() bool { return w.seed%4 == 1 }

// latency is that of one request: little, 2 s, or mostly little and sometimes much.
func (w *world) latency(dice *rand.Rand) time.Duration {
	w.mu.Lock()
	calm := w.calm
	w.mu.Unlock()
	switch {
	case w.slow():
		return 2*time.Second + exponential(dice, 20*time.Millisecond)
	case w.seed%4 == 2 && !calm && dice.IntN(30) == 0:
		return exponential(dice, 8*time.Second)
	}
	return exponential(dice, 4*time.Millisecond)
}

// lag is how far a watch is behind.
func (w *world) lag(dice *rand.Rand) time.Duration {
	w.mu.Lock()
	calm := w.calm
	w.mu.Unlock()
	switch n := dice.IntN(120); {
	case calm:
	case n == 0: // it has stalled
		return exponential(dice, 90*time.Second)
	case n <= 6:
		return exponential(dice, 20*time.Second)
	}
	return exponential(dice, 50*time.Millisecond)
}

// skew is how far a clock is ahead of the true time: nothing, 4 minutes or an hour.
func skew(dice *rand.Rand) time.Duration {
	skews := []time.Duration{0, 0, 0, 4 * time.Minute, -4 * time.Minute, time.Hour, -time.Hour}
	return skews[dice.IntN(len(skews))]
}

// written passes every write on to the caches, the cluster and the oracle.
func (w *world) written(before, after client.Object) {
	o := after
	if o == nil {
		o = before
	}
	w.mu.Lock()
	for _, m := range w.managers {
		if m.ctx.Err() == nil {
			m.cache.notify(kindOf(o))
		}
	}
	w.mu.Unlock()
	w.oracle.saw(before, after)
	w.react(before, after)
}

func newWorld(seed uint64, trace bool) *world {
	w := &world{seed: seed, trace: trace, caps: limits.DefaultCaps, skews: map[string]time.Duration{}}
	w.oracle = newOracle(w)
	w.server = newServer(skew(w.dice("server")), w.written)
	if w.dice("caps").IntN(3) == 0 {
		w.caps.Total, w.caps.PerNode, w.caps.PerSecond = 3, 2, 1
	}
	for i, name := range controllertest.ThreeNodes {
		w.skews[name] = skew(w.dice(name))
		w.create(controllertest.Node(name, fmt.Sprint("192.168.7.", i+1)))
	}
	for i := range 1 + w.dice("probes").IntN(3) {
		w.names = append(w.names, fmt.Sprint("web-", i))
	}
	for _, name := range w.names {
		w.newService(name)
	}
	w.newTarget()
	for _, name := range w.names {
		w.newProbe(name)
	}
	return w
}

// newService creates the Service of a TCPProbe. The same pod is behind all of them. If they were one, looks at the
// targets of several runs would be the same requests at the same instant, and their order would be chance.
func (w *world) newService(name string) {
	w.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: name},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"},
			IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}, Ports: []corev1.ServicePort{{Name: "http", Port: 80}}}})
}

func (w *world) must(err error) {
	if err != nil {
		w.oracle.fail("the simulation itself: %v", err)
	}
}

// create stores an object, which gets its UID.
func (w *world) create(o client.Object) {
	stored, err := w.server.create(o)
	w.must(err)
	if err == nil {
		set(o, stored)
	}
}

// newProbe creates a TCPProbe that runs once or at intervals.
func (w *world) newProbe(name string) {
	probe := controllertest.Probe()
	if w.dice("interval", name).IntN(3) == 0 {
		probe = controllertest.IntervalProbe()
		probe.Spec.Run.IntervalSeconds = new(int32(60 + w.dice("seconds", name).IntN(120)))
	}
	probe.Name, probe.UID, probe.Spec.Target.Service.Name = name, "", name
	w.create(probe)
}

var targetName = types.NamespacedName{Namespace: shop, Name: "target"}

// newTarget puts another pod behind the Services, with the same name and address.
func (w *world) newTarget() {
	if old := find[corev1.Pod](w.server, targetName); old != nil {
		w.oracle.targetGone(old.UID, false)
		change(w.server, old, func(p *corev1.Pod) bool { p.Status.Phase = corev1.PodFailed; return true })
		w.must(w.server.remove(old, ""))
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: targetName.Name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{NodeName: controllertest.ThreeNodes[0]},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.244.1.5"}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
	w.create(pod)
	for _, name := range w.names {
		slice := controllertest.Slice(shop, name, "-1", &corev1.ObjectReference{Kind: "Pod", Namespace: shop,
			Name: pod.Name, UID: pod.UID}, "10.244.1.5")
		if w.server.get("EndpointSlice", nameOf(slice)) != nil {
			w.must(w.server.remove(slice, ""))
		}
		w.create(slice)
	}
}

// replace starts another manager in the place of one, with another clock.
func (w *world) replace(i int) {
	w.mu.Lock()
	w.replaced++
	n := w.replaced
	w.mu.Unlock()
	m := w.startManager("manager "+strconv.Itoa(n), skew(w.dice("manager", strconv.Itoa(i))))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests += int(w.managers[i].requests.Load())
	w.managers[i] = m
}
