package simulation

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/controllers/probepod"
	"github.com/tcpprobe/tcpprobe/controllers/reconciler"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// manager is one process: a Reconciler, its queue, its caches and its way to the API server.
type manager struct {
	simulation *simulation
	name       string
	cache      *cache
	queue      workqueue.TypedRateLimitingInterface[reconcile.Request]
	reconciler *reconciler.Reconciler
	ctx        context.Context
	kill       context.CancelFunc

	mu       sync.Mutex
	dying    int // writes until it is killed; negative: it is not
	after    bool
	resumes  time.Time // it is stopped until then
	stopped  time.Duration
	heals    time.Time // it does not reach the API server until then
	requests atomic.Int64
}

// skewedClock is a clock that is wrong.
type skewedClock struct {
	clock.RealClock
	ahead time.Duration
}

func (c skewedClock) Now() time.Time                  { return c.RealClock.Now().Add(c.ahead) }
func (c skewedClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

var (
	errKilled      = errors.New("killed")
	errUnreachable = errors.New("dial tcp 10.96.0.1:443: i/o timeout")
)

// startManager starts a manager as main does. It has one worker: in virtual time nobody may wait for a lock while its
// holder waits for the API server.
func (s *simulation) startManager(name string, ahead time.Duration) *manager {
	m := &manager{simulation: s, name: name, dying: -1, queue: workqueue.NewTypedRateLimitingQueue(
		workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())}
	m.ctx, m.kill = context.WithCancel(s.ctx)
	m.cache = newCache(m)
	caches, live, ticks := cachedClient{manager: m}, liveReader{m}, skewedClock{ahead: ahead}
	m.reconciler = reconciler.New(reconciler.Config{
		Client: caches, Live: live, Clock: ticks, Events: &events.FakeRecorder{},
		Own: target.OwnNamespaces{Manager: "tcpprobe-system", Probes: probes},
		Prober: probepod.Settings{Image: "example.test/tcpprobe:1", Namespace: probes,
			ServiceAccount: "prober", PriorityClass: "tcpprobe-prober"},
		Caps: s.caps,
	})
	m.cache.start()
	s.all.Go(m.work)
	for i, background := range m.reconciler.Background() {
		s.all.Go(func() {
			s.sleep(exponential(s.random(name, strconv.Itoa(i)), time.Millisecond)) // not at the instant of the first reconcile
			_ = background.Start(m.ctx)
		})
	}
	s.all.Go(func() { <-m.ctx.Done(); m.queue.ShutDown() })
	return m
}

// work does what the controller's worker does.
func (m *manager) work() {
	for {
		request, over := m.queue.Get()
		if over {
			return
		}
		result, err := m.reconcile(request)
		m.mu.Lock()
		if m.stopped > leaseLost {
			m.kill()
		}
		m.mu.Unlock()
		m.queue.Done(request)
		switch {
		case err != nil:
			m.queue.AddRateLimited(request)
		case result.RequeueAfter > 0:
			m.queue.Forget(request)
			m.queue.AddAfter(request, result.RequeueAfter)
		default:
			m.queue.Forget(request)
		}
	}
}

func (m *manager) reconcile(request reconcile.Request) (result reconcile.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			m.simulation.oracle.fail("%s panics: %v\n%s", m.name, p, debug.Stack())
		}
	}()
	return m.reconciler.Reconcile(m.ctx, request)
}

// request asks the API server: the question takes a while, the answer takes a while, and each may be lost. The object
// becomes what the answer has.
func (m *manager) request(what string, o client.Object, do func() (client.Object, error)) error {
	write := !strings.HasPrefix(what, "get") && !strings.HasPrefix(what, "list")
	m.requests.Add(1)
	random := m.simulation.random(m.name, what)
	latency := m.simulation.latency(random)
	time.Sleep(latency / 2)
	if err := m.hindered(random, write); err != nil {
		return err
	}
	switch random.IntN(300) {
	case 0:
		return apierrors.NewTooManyRequests("the server is busy", 1)
	case 1:
		return apierrors.NewInternalError(errors.New("etcdserver: leader changed"))
	}
	answer, err := do()
	m.simulation.say("%s %s: %v", m.name, what, err)
	if write && m.died() {
		return errKilled
	}
	time.Sleep(latency - latency/2)
	switch lost := m.hindered(random, false); {
	case lost != nil:
		return lost
	case write && err == nil && random.IntN(60) == 0:
		return apierrors.NewTimeoutError("the answer is lost", 1)
	}
	if answer != nil {
		set(o, answer)
	}
	return err
}

// hindered waits while the manager is stopped, and reports why the request does not go through.
func (m *manager) hindered(random *rand.Rand, write bool) error {
	m.mu.Lock()
	resumes, heals := m.resumes, m.heals
	m.mu.Unlock()
	if wait := time.Until(resumes); wait > 0 {
		time.Sleep(wait + exponential(random, time.Millisecond)) // not at the instant at which others go on
	}
	if wait := time.Until(heals); wait > 0 {
		time.Sleep(min(wait, 30*time.Second) + exponential(random, time.Millisecond))
		return errUnreachable
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if write && m.dying == 0 && !m.after {
		m.simulation.say("%s is killed before a write", m.name)
		m.kill()
	}
	if m.ctx.Err() != nil {
		return errKilled
	}
	return nil
}

// died counts a write, and reports whether the manager is killed right after it.
func (m *manager) died() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dying == 0 {
		m.simulation.say("%s is killed after a write", m.name)
		m.kill()
	}
	m.dying--
	return m.ctx.Err() != nil
}

// killSoon has the manager killed before or after one of its next writes.
func (m *manager) killSoon(writes int, after bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dying, m.after = writes, after
}

// stop stops the process for so long. Then it goes on with what it was doing; if it has lost its lease, no further.
func (m *manager) stop(long time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resumes, m.stopped = time.Now().Add(long), long
}

// partition parts the manager from the API server for so long.
func (m *manager) partition(long time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heals = time.Now().Add(long)
}

// offline is how long the manager's watches see nothing.
func (m *manager) offline() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(0, time.Until(m.heals), time.Until(m.resumes))
}
