package reconciler

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache/informertest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/limits"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// slowClient takes a second for each object that it gets. It counts how many it gets at the same time.
type slowClient struct {
	client.Client

	mu               sync.Mutex
	now, most, total int
}

func (c *slowClient) Get(
	ctx context.Context, key client.ObjectKey, o client.Object, options ...client.GetOption,
) error {
	c.count(1)
	defer c.count(-1)
	time.Sleep(time.Second)
	return c.Client.Get(ctx, key, o, options...)
}

func (c *slowClient) count(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += n
	c.most = max(c.most, c.now)
	c.total += max(n, 0)
}

// TestLiveReadsAtOnce: a reconcile reads eight pods at a time, so that with TestWorkers the API server has to bear 32
// reads.
func TestLiveReadsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live := &slowClient{Client: fake.NewClientBuilder().Build()}
		resolver := &target.Resolver{Live: live}
		rp := plantest.Example([]string{"kn1"}, slices.Repeat([]string{"kn2"}, 20))
		if _, err := resolver.Recheck(t.Context(), "shop", &rp.Snapshot, rp.Targets(), nil); err != nil {
			t.Fatal(err)
		}
		if live.most != 8 || live.total != 20 {
			t.Errorf("%d of %d pods at a time; want 8 of 20", live.most, live.total)
		}
	})
}

// lockedInformers are fake informers that several sources may ask for at the same time.
type lockedInformers struct {
	informertest.FakeInformers

	mu sync.Mutex
}

func (i *lockedInformers) GetInformer(
	ctx context.Context, o client.Object, options ...cache.InformerGetOption,
) (cache.Informer, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.FakeInformers.GetInformer(ctx, o, options...)
}

// TestWorkers: of TCPProbes of many namespaces, four are reconciled at a time.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scheme := runtime.NewScheme()
		utilruntime.Must(clientgoscheme.AddToScheme(scheme))
		utilruntime.Must(v1alpha1.AddToScheme(scheme))
		informers := &lockedInformers{FakeInformers: informertest.FakeInformers{Scheme: scheme}}
		mgr, err := managerWithoutServer(scheme, informers)
		if err != nil {
			t.Fatal(err)
		}
		caches := &slowClient{Client: fake.NewClientBuilder().WithScheme(scheme).Build()}
		r := New(Config{Client: caches, Live: caches.Client, Clock: clock.RealClock{}, Caps: limits.DefaultCaps})
		if err := r.SetupWithManager(mgr); err != nil {
			t.Fatal(err)
		}
		probes, err := informers.FakeInformerFor(t.Context(), &v1alpha1.TCPProbe{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- mgr.Start(ctx) }()
		synctest.Wait()
		for i := range 10 {
			probes.Add(&v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprint("shop-", i), Name: "web"}})
		}
		time.Sleep(time.Minute)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if caches.most != 4 || caches.total != 10 {
			t.Errorf("%d of %d TCPProbes at a time; want 4 of 10", caches.most, caches.total)
		}
	})
}

// managerWithoutServer is a manager whose events are those of the informers.
func managerWithoutServer(scheme *runtime.Scheme, informers cache.Cache) (manager.Manager, error) {
	return manager.New(&rest.Config{}, manager.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)}, // several managers run in this process
		NewCache:   func(*rest.Config, cache.Options) (cache.Cache, error) { return informers, nil },
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) {
			return meta.NewDefaultRESTMapper(nil), nil
		},
	})
}
