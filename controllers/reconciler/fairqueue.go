package reconciler

import (
	"slices"
	"sync"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// namespaceWorkers is how many TCPProbes of one namespace are reconciled at the same time. One worker is left for
// others, however long these take.
const namespaceWorkers = workers - 1

type requestQueue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// fairQueue is the queue of requests, without those of namespaces that have their share of the workers. It sets these
// aside until one of the namespace is done.
type fairQueue struct {
	requestQueue

	mu         sync.Mutex
	running    map[string]int // by namespace
	aside      []reconcile.Request
	asideFirst bool // in turn with the queue, so that neither starves the other
}

func newFairQueue(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) requestQueue {
	inTurn := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[reconcile.Request]{
		Name: name, Queue: &turns{of: make(map[string][]reconcile.Request)}})
	delaying := workqueue.NewTypedDelayingQueueWithConfig(
		workqueue.TypedDelayingQueueConfig[reconcile.Request]{Name: name, Queue: inTurn})
	return &fairQueue{
		requestQueue: workqueue.NewTypedRateLimitingQueueWithConfig(limiter,
			workqueue.TypedRateLimitingQueueConfig[reconcile.Request]{Name: name, DelayingQueue: delaying}),
		running: make(map[string]int),
	}
}

// turns are the requests that wait: the first of each namespace in turn.
type turns struct {
	next []string // namespaces with requests
	of   map[string][]reconcile.Request
	n    int
}

// Touch implements workqueue.Queue.
func (t *turns) Touch(reconcile.Request) {}

// Push implements workqueue.Queue.
func (t *turns) Push(req reconcile.Request) {
	if len(t.of[req.Namespace]) == 0 {
		t.next = append(t.next, req.Namespace)
	}
	t.of[req.Namespace] = append(t.of[req.Namespace], req)
	t.n++
}

// Len implements workqueue.Queue.
func (t *turns) Len() int { return t.n }

// Pop implements workqueue.Queue.
func (t *turns) Pop() reconcile.Request {
	namespace := t.next[0]
	t.next = t.next[1:]
	req := t.of[namespace][0]
	if rest := t.of[namespace][1:]; len(rest) > 0 {
		t.of[namespace], t.next = rest, append(t.next, namespace)
	} else {
		delete(t.of, namespace)
	}
	t.n--
	return req
}

// Get waits for a request that may be carried out now.
func (q *fairQueue) Get() (req reconcile.Request, shutdown bool) {
	for {
		if req, ok := q.fromAside(); ok {
			return req, false
		}
		req, shutdown = q.requestQueue.Get()
		if shutdown || q.begin(req) {
			return req, shutdown
		}
	}
}

// fromAside is the first request set aside that may be carried out now, if it is their turn or nothing else waits.
func (q *fairQueue) fromAside() (reconcile.Request, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asideFirst = !q.asideFirst
	if !q.asideFirst && q.Len() > 0 {
		return reconcile.Request{}, false
	}
	i := slices.IndexFunc(q.aside, func(req reconcile.Request) bool { return q.running[req.Namespace] < namespaceWorkers })
	if i < 0 {
		return reconcile.Request{}, false
	}
	req := q.aside[i]
	q.aside = slices.Delete(q.aside, i, i+1)
	q.running[req.Namespace]++
	return req, true
}

// begin reports whether the request may be carried out now. Else it sets it aside.
func (q *fairQueue) begin(req reconcile.Request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running[req.Namespace] >= namespaceWorkers {
		q.aside = append(q.aside, req)
		return false
	}
	q.running[req.Namespace]++
	return true
}

// Done ends a request. Its worker asks for the next one then, so nothing stays aside.
func (q *fairQueue) Done(req reconcile.Request) {
	q.mu.Lock()
	if q.running[req.Namespace]--; q.running[req.Namespace] == 0 {
		delete(q.running, req.Namespace)
	}
	q.mu.Unlock()
	q.requestQueue.Done(req)
}
