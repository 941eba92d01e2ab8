package targetwatch

import (
	"context"
	"maps"
	"sync"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// A change has to end the pods concerned within 10 s: lookEvery, the reads and a deletion until it is seen, and Grace
// until the last segment.
const (
	lookEvery = 3 * time.Second        // from the beginning of one look at a run's targets to the next
	tick      = 250 * time.Millisecond // how often it is asked which runs are due

	// Grace is how long a pod has to end its flows. The prober needs up to 4 s where a peer does not answer.
	Grace = 5 * time.Second
)

// Watch has the runs with running probe pods.
type Watch struct {
	resolver *target.Resolver
	pods     client.Writer
	clock    clock.WithTicker

	mu   sync.Mutex
	runs map[types.NamespacedName]*run // by TCPProbe, which has one active run
}

// Run is the part of an active run that is watched: the probe pods that have not ended, and what they depend on.
type Run struct {
	Plan types.UID
	Tie  target.Tie
	Pods map[string]*corev1.Pod // by node
}

type run struct {
	Run
	looking bool
	last    time.Time                  // when the last look began
	stopped map[string]*target.Refusal // by node
	doomed  map[string]*corev1.Pod     // stopped, and not deleted yet
}

// New is a Watch that reads with the resolver's rules, at a bounded rate.
func New(resolver *target.Resolver, pods client.Writer, c clock.WithTicker) *Watch {
	paced := *resolver
	paced.Live = newPacedReader(resolver.Live, rate.NewLimiter(readsPerSecond, readBurst))
	return &Watch{resolver: &paced, pods: pods, clock: c, runs: make(map[types.NamespacedName]*run)}
}

// Keep watches the run from now on, in place of what was watched for this TCPProbe before.
func (w *Watch) Keep(probe types.NamespacedName, now Run) {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.runs[probe]
	if old == nil || old.Plan != now.Plan {
		old = &run{stopped: make(map[string]*target.Refusal), doomed: make(map[string]*corev1.Pod)}
		w.runs[probe] = old
	}
	old.Run = now
}

// Forget ends the watch of the TCPProbe's run.
func (w *Watch) Forget(probe types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.runs, probe)
}

// Stopped says why sources of the run were stopped, by node.
func (w *Watch) Stopped(probe types.NamespacedName, plan types.UID) map[string]*target.Refusal {
	w.mu.Lock()
	defer w.mu.Unlock()
	stopped := make(map[string]*target.Refusal)
	if r := w.runs[probe]; r != nil && r.Plan == plan {
		maps.Copy(stopped, r.stopped)
	}
	return stopped
}

// NeedLeaderElection keeps managers that are not the leader from looking.
func (w *Watch) NeedLeaderElection() bool { return true }

// Start looks at the targets of each run every three seconds until ctx ends. Each run has its own time, so that one
// with many targets does not delay the others. It implements manager.Runnable.
func (w *Watch) Start(ctx context.Context) error {
	ticker := w.clock.NewTicker(tick)
	defer ticker.Stop()
	var looks sync.WaitGroup
	defer looks.Wait()
	for {
		for _, probe := range w.due() {
			looks.Go(func() {
				if err := w.Look(ctx, probe); err != nil && ctx.Err() == nil {
					logf.FromContext(ctx).Error(err, "look at the targets of a running TCPProbe; the next look is due in 3 s",
						"namespace", probe.Namespace, "name", probe.Name)
				}
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		}
	}
}

// due are the TCPProbes whose targets are to be looked at now. They count as being looked at.
func (w *Watch) due() (probes []types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Now()
	for probe, r := range w.runs {
		if !r.looking && now.Sub(r.last) >= lookEvery && len(r.Pods)+len(r.doomed) > 0 {
			r.looking, r.last = true, now
			probes = append(probes, probe)
		}
	}
	return probes
}
