package simulation

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tcpprobe/tcpprobe/controllers/reconciler"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// watched are the kinds that a manager's caches hold.
var watched = []string{"TCPProbe", "Pod", "ConfigMap", "Node"}

// cache is what a manager's watches have told it so far. Each kind lags behind by a time of its own.
type cache struct {
	manager *manager
	changed map[string]chan struct{}

	mu      sync.Mutex
	sources map[string]map[types.NamespacedName]client.Object // as they are stored
	objects map[string]map[types.NamespacedName]client.Object // as the manager caches them
}

func newCache(m *manager) *cache {
	c := &cache{manager: m, changed: map[string]chan struct{}{},
		sources: map[string]map[types.NamespacedName]client.Object{},
		objects: map[string]map[types.NamespacedName]client.Object{}}
	for _, kind := range watched {
		c.changed[kind] = make(chan struct{}, 1)
	}
	return c
}

// start fills the caches and follows the watches.
func (c *cache) start() {
	for _, kind := range watched {
		c.update(kind)
	}
	for _, kind := range watched {
		c.manager.simulation.all.Go(func() { c.follow(kind) })
	}
}

// notify tells that something of the kind was written.
func (c *cache) notify(kind string) {
	select {
	case c.changed[kind] <- struct{}{}:
	default:
	}
}

func (c *cache) follow(kind string) {
	for {
		select {
		case <-c.manager.ctx.Done():
			return
		case <-c.changed[kind]:
		}
		random := c.manager.simulation.random(c.manager.name, "watch "+kind)
		time.Sleep(c.manager.simulation.lag(random))
		for away := c.manager.offline(); away > 0; away = c.manager.offline() {
			time.Sleep(away + exponential(random, time.Millisecond))
		}
		c.update(kind)
	}
}

// update brings a kind up to date, and has the TCPProbes reconciled that something was changed of.
func (c *cache) update(kind string) {
	now := c.manager.simulation.server.all(kind)
	c.mu.Lock()
	before := c.sources[kind]
	c.sources[kind] = now
	if c.objects[kind] == nil {
		c.objects[kind] = map[types.NamespacedName]client.Object{}
	}
	concerned := map[types.NamespacedName]bool{}
	for name, o := range now {
		if before[name] != o && cached(o) {
			c.objects[kind][name] = stripped(o)
			concerned[probeOf(o)] = true
		}
	}
	for name, o := range before {
		if now[name] == nil {
			delete(c.objects[kind], name)
			concerned[probeOf(o)] = true
		}
	}
	c.mu.Unlock()
	names := slices.SortedFunc(maps.Keys(concerned), func(a, b types.NamespacedName) int {
		return cmp.Compare(a.String(), b.String())
	})
	for _, name := range names {
		if name.Name != "" {
			c.manager.queue.Add(reconcile.Request{NamespacedName: name})
		}
	}
}

// probeOf names the TCPProbe that an event of the object concerns.
func probeOf(o client.Object) types.NamespacedName {
	if kindOf(o) == "TCPProbe" {
		return nameOf(o)
	}
	return runplan.ProbeOf(o)
}

// cached is the selection, and stripped the transformation, of reconciler.CacheOptions.
func cached(o client.Object) bool {
	switch kindOf(o) {
	case "Pod", "ConfigMap":
		return o.GetNamespace() == probes && o.GetLabels()[runplan.LabelManagedBy] == runplan.ManagedBy
	}
	return true
}

func stripped(o client.Object) client.Object {
	out, err := reconciler.CacheOptions(probes).DefaultTransform(copyOf(o))
	if err != nil {
		panic(err)
	}
	kept, _ := out.(client.Object)
	return kept
}

func (c *cache) get(kind string, name types.NamespacedName) client.Object {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.objects[kind][name]
}

func (c *cache) list(kind string) []client.Object {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Values(c.objects[kind]), func(a, b client.Object) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
}
