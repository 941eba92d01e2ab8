package simulation

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

var (
	seeds    = flag.Int("seeds", 0, "how many seeds; 0: 200, or 20 with -short")
	from     = flag.Uint64("from", 1, "the first seed")
	twice    = flag.Int("twice", 4, "how many seeds TestSeedRepeats plays twice")
	trace    = flag.Bool("trace", false, "print all that happens")
	progress = flag.Bool("progress", false, "print how far it is, and the result")
	output   = flag.String("json", "", "write the result to this file as well")
)

// live plays one seed.
func live(t *testing.T, seed uint64, trace bool) (s *simulation) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s = newSimulation(seed, trace)
		s.ctx = ctx
		for _, name := range []string{"manager A", "manager B"} {
			m := s.startManager(name, skew(s.random(name)))
			s.mu.Lock()
			s.managers = append(s.managers, m)
			s.mu.Unlock()
		}
		s.injectFaults(3 * time.Minute)
		s.settle()
		cancel()
		s.all.Wait()
		s.requests += int(s.managers[0].requests.Load())
	})
	return s
}

// TestSeedRepeats: a seed that fails can be looked at.
func TestSeedRepeats(t *testing.T) {
	logf.SetLogger(logr.Discard())
	for i := range *twice {
		seed := *from + uint64(i)
		once, again := live(t, seed, true).lines, live(t, seed, true).lines
		for i := range min(len(once), len(again)) {
			if once[i] != again[i] {
				t.Errorf("line %d of seed %d is %q and then %q", i, seed, once[i], again[i])
				break
			}
		}
		if len(once) != len(again) || len(once) < 100 {
			t.Errorf("seed %d has %d lines and then %d", seed, len(once), len(again))
		}
	}
}

// result is what many seeds came to.
type result struct {
	Seeds    int      `json:"seeds"` // played so far
	From     uint64   `json:"from"`
	Reported int      `json:"reported"` // runs
	Touched  int      `json:"touched"`  // of them, with something done to them
	Replaced int      `json:"replaced"` // managers
	Requests int      `json:"requests"`
	Failed   []uint64 `json:"failed"` // seeds

	mu sync.Mutex
}

func (r *result) add(s *simulation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Seeds++
	r.Reported, r.Touched = r.Reported+s.oracle.reported, r.Touched+s.oracle.touched
	r.Replaced, r.Requests = r.Replaced+s.replaced, r.Requests+s.requests
	if len(s.oracle.failed()) > 0 {
		r.Failed = append(r.Failed, s.seed)
	}
}

func (r *result) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := fmt.Sprintf("%d seeds from %d: %d runs reported, %d of them with something done to them; %d managers replaced, "+
		"%d requests; ", r.Seeds, r.From, r.Reported, r.Touched, r.Replaced, r.Requests)
	if len(r.Failed) == 0 {
		return s + "no rule broken"
	}
	return s + fmt.Sprintf("a rule broken in %d seeds: %v", len(r.Failed), r.Failed)
}

// TestRunLives: whatever happens, each run is reported once and rightly, of each source at most one pod runs, every
// TCPProbe comes to an end, and nothing is left.
func TestRunLives(t *testing.T) {
	logf.SetLogger(logr.Discard())
	n := *seeds
	switch {
	case n == 0 && testing.Short():
		n = 20
	case n == 0:
		n = 200
	}
	r, next := &result{From: *from, Failed: []uint64{}}, make(chan uint64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := range next {
				t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { r.add(play(t, seed)) })
			}
		})
	}
	shown := time.Now()
	for i := range n {
		next <- *from + uint64(i)
		if *progress && time.Since(shown) > 10*time.Second {
			shown = time.Now()
			fmt.Fprintf(os.Stderr, "of %d: %v\n", n, r)
		}
	}
	close(next)
	workers.Wait()
	r.show(t)
}

// play plays one seed and says what went wrong.
func play(t *testing.T, seed uint64) *simulation {
	t.Helper()
	s := live(t, seed, *trace)
	if problems := s.oracle.failed(); len(problems) > 0 {
		t.Errorf("%s\nagain, with all that happened: go test ./controllers/reconciler/simulation "+
			"-run TestRunLives -args -from %d -seeds 1 -trace", strings.Join(problems, "\n"), seed)
	}
	for _, line := range s.lines {
		t.Log(line)
	}
	return s
}

func (r *result) show(t *testing.T) {
	t.Helper()
	slices.Sort(r.Failed)
	if *progress {
		fmt.Println(r)
	} else {
		t.Log(r)
	}
	if *output == "" {
		return
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(*output, append(text, '\n'), 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}
