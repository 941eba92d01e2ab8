package reconciler

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func requestOf(namespace string, i int) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: fmt.Sprint("p", i)}}
}

// served has the manager's workers take requests from a queue, a second for each. It reports when each was begun.
type served struct {
	sync.Mutex
	queue requestQueue
	begun map[reconcile.Request]time.Duration
	now   map[string]int // by namespace
	most  map[string]int
	ended sync.WaitGroup
}

func serve() *served {
	limiter := workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]()
	s := &served{queue: newFairQueue("", limiter), begun: make(map[reconcile.Request]time.Duration),
		now: make(map[string]int), most: make(map[string]int)}
	start := time.Now()
	for range workers {
		s.ended.Go(func() {
			for {
				req, shutdown := s.queue.Get()
				if shutdown {
					return
				}
				s.Lock()
				s.begun[req] = time.Since(start)
				s.now[req.Namespace]++
				s.most[req.Namespace] = max(s.most[req.Namespace], s.now[req.Namespace])
				s.Unlock()
				time.Sleep(time.Second)
				s.Lock()
				s.now[req.Namespace]--
				s.Unlock()
				s.queue.Done(req)
			}
		})
	}
	return s
}

func (s *served) end() {
	s.queue.ShutDown()
	s.ended.Wait()
}

// TestOneNamespaceDoesNotHoldAllWorkers: a newcomer's request is taken at once although another namespace has a
// thousand before it.
func TestOneNamespaceDoesNotHoldAllWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve()
		for i := range 1000 {
			s.queue.Add(requestOf("greedy", i))
		}
		time.Sleep(10 * time.Second)
		s.Lock()
		before := s.most["greedy"]
		s.Unlock()
		s.queue.Add(requestOf("shop", 0))
		time.Sleep(time.Hour)
		s.end()
		if at := s.begun[requestOf("shop", 0)]; at > 10*time.Second || before != 3 || len(s.begun) != 1001 {
			t.Errorf("the newcomer waited %v beside %d workers of another namespace; %d of 1001 were taken",
				at-10*time.Second, before, len(s.begun))
		}
	})
}

// TestNobodyStarves: with requests of many namespaces at all times, those set aside are taken, too.
func TestNobodyStarves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve()
		for i := range 50 {
			s.queue.Add(requestOf("greedy", i))
			s.queue.Add(requestOf("second", i))
		}
		for i := range 100 { // four a second are taken
			s.queue.Add(requestOf(fmt.Sprint("ns-", i), 0))
			time.Sleep(500 * time.Millisecond)
		}
		s.queue.Add(requestOf("greedy", 0)) // again, while it may be aside
		time.Sleep(time.Minute)
		s.end()
		if len(s.begun) != 200 || s.most["greedy"] > 3 || s.most["second"] > 3 {
			t.Errorf("%d of 200 requests were taken, at most %v at a time", len(s.begun), s.most)
		}
		for i := range 100 {
			asked := time.Duration(i) * 500 * time.Millisecond
			if waited := s.begun[requestOf(fmt.Sprint("ns-", i), 0)] - asked; waited > 3*time.Second {
				t.Errorf("newcomer %d waited %v", i, waited)
			}
		}
	})
}
