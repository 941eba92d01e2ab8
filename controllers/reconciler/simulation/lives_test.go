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

// simulation is one seed: a cluster, two managers, and what happens to them.
type simulation struct {
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

// random gives the numbers of one decision. They depend on the seed, the time and what is decided, and not on the order
// in which goroutines run. So a seed repeats.
func (s *simulation) random(what ...string) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, time.Now().UnixNano(), what)
	return rand.New(rand.NewPCG(s.seed, h.Sum64()))
}

// say keeps a line for whoever looks at one seed.
func (s *simulation) say(format string, args ...any) {
	if !s.trace {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf("%s "+format, append([]any{time.Now().Format("15:04:05.000")}, args...)...))
}

// exponential is a time that is so long on average.
func exponential(random *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(random.ExpFloat64()*float64(mean)) + 1
}

// slow reports that each request takes 2 s.
func (s *simulation) slow() bool { return s.seed%4 == 1 }

// latency is that of one request: little, 2 s, or mostly little and sometimes much.
func (s *simulation) latency(random *rand.Rand) time.Duration {
	s.mu.Lock()
	calm := s.calm
	s.mu.Unlock()
	switch {
	case s.slow():
		return 2*time.Second + exponential(random, 20*time.Millisecond)
	case s.seed%4 == 2 && !calm && random.IntN(30) == 0:
		return exponential(random, 8*time.Second)
	}
	return exponential(random, 4*time.Millisecond)
}

// lag is how far a watch is behind.
func (s *simulation) lag(random *rand.Rand) time.Duration {
	s.mu.Lock()
	calm := s.calm
	s.mu.Unlock()
	switch n := random.IntN(120); {
	case calm:
	case n == 0: // it has stalled
		return exponential(random, 90*time.Second)
	case n <= 6:
		return exponential(random, 20*time.Second)
	}
	return exponential(random, 50*time.Millisecond)
}

// skew is how far a clock is ahead of the true time: nothing, 4 minutes or an hour.
func skew(random *rand.Rand) time.Duration {
	skews := []time.Duration{0, 0, 0, 4 * time.Minute, -4 * time.Minute, time.Hour, -time.Hour}
	return skews[random.IntN(len(skews))]
}

// written passes every write on to the caches, the cluster and the oracle.
func (s *simulation) written(before, after client.Object) {
	o := after
	if o == nil {
		o = before
	}
	s.mu.Lock()
	for _, m := range s.managers {
		if m.ctx.Err() == nil {
			m.cache.notify(kindOf(o))
		}
	}
	s.mu.Unlock()
	s.oracle.saw(before, after)
	s.react(before, after)
}

func newSimulation(seed uint64, trace bool) *simulation {
	s := &simulation{seed: seed, trace: trace, caps: limits.DefaultCaps, skews: map[string]time.Duration{}}
	s.oracle = newOracle(s)
	s.server = newServer(skew(s.random("server")), s.written)
	if s.random("caps").IntN(3) == 0 {
		s.caps.Total, s.caps.PerNode, s.caps.PerSecond = 3, 2, 1
	}
	for i, name := range controllertest.ThreeNodes {
		s.skews[name] = skew(s.random(name))
		s.create(controllertest.Node(name, fmt.Sprint("192.168.7.", i+1)))
	}
	for i := range 1 + s.random("probes").IntN(3) {
		s.names = append(s.names, fmt.Sprint("web-", i))
	}
	for _, name := range s.names {
		s.newService(name)
	}
	s.newTarget()
	for _, name := range s.names {
		s.newProbe(name)
	}
	return s
}

// newService creates the Service of a TCPProbe. The same pod is behind all of them. If they were one, looks at the
// targets of several runs would be the same requests at the same instant, and their order would be chance.
func (s *simulation) newService(name string) {
	s.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: name},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"},
			IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}, Ports: []corev1.ServicePort{{Name: "http", Port: 80}}}})
}

func (s *simulation) must(err error) {
	if err != nil {
		s.oracle.fail("the simulation itself: %v", err)
	}
}

// create stores an object, which gets its UID.
func (s *simulation) create(o client.Object) {
	stored, err := s.server.create(o)
	s.must(err)
	if err == nil {
		set(o, stored)
	}
}

// newProbe creates a TCPProbe that runs once or at intervals.
func (s *simulation) newProbe(name string) {
	probe := controllertest.Probe()
	if s.random("interval", name).IntN(3) == 0 {
		probe = controllertest.IntervalProbe()
		probe.Spec.Run.IntervalSeconds = new(int32(60 + s.random("seconds", name).IntN(120)))
	}
	probe.Name, probe.UID, probe.Spec.Target.Service.Name = name, "", name
	s.create(probe)
}

var targetName = types.NamespacedName{Namespace: shop, Name: "target"}

// newTarget puts another pod behind the Services, with the same name and address.
func (s *simulation) newTarget() {
	if old := find[corev1.Pod](s.server, targetName); old != nil {
		s.oracle.targetGone(old.UID, false)
		change(s.server, old, func(p *corev1.Pod) bool { p.Status.Phase = corev1.PodFailed; return true })
		s.must(s.server.remove(old, ""))
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: targetName.Name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{NodeName: controllertest.ThreeNodes[0]},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.244.1.5"}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
	s.create(pod)
	for _, name := range s.names {
		slice := controllertest.Slice(shop, name, "-1", &corev1.ObjectReference{Kind: "Pod", Namespace: shop,
			Name: pod.Name, UID: pod.UID}, "10.244.1.5")
		if s.server.get("EndpointSlice", nameOf(slice)) != nil {
			s.must(s.server.remove(slice, ""))
		}
		s.create(slice)
	}
}

// replace starts another manager in the place of one, with another clock.
func (s *simulation) replace(i int) {
	s.mu.Lock()
	s.replaced++
	n := s.replaced
	s.mu.Unlock()
	m := s.startManager("manager "+strconv.Itoa(n), skew(s.random("manager", strconv.Itoa(i))))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests += int(s.managers[i].requests.Load())
	s.managers[i] = m
}
