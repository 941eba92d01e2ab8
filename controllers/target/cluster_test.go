package target

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

var errDown = errors.New("the API server is down")

// reads are the calls that a Resolver made, such as "Service shop/web" or "PodList shop", and those that fail.
type reads struct {
	lock  sync.Mutex
	made  []string
	fails map[string]error
}

func (r *reads) make(object any, where string) error {
	call := strings.TrimPrefix(fmt.Sprintf("%T", object), "*v1.") + " " + where
	r.lock.Lock()
	defer r.lock.Unlock()
	r.made = append(r.made, call)
	return r.fails[call]
}

func (r *reads) fail(call string) { r.failWith(call, errDown) }

func (r *reads) failWith(call string, err error) { r.fails = map[string]error{call: err} }

// resolverOf reads from an API server that has these objects.
func resolverOf(objects ...client.Object) (*Resolver, *reads) {
	calls := &reads{}
	live := fake.NewClientBuilder().WithScheme(clientgoscheme.Scheme).
		WithTypeConverters(managedfields.NewDeducedTypeConverter()). // the default parses all schemas, for seconds
		WithObjects(objects...).
		WithInterceptorFuncs(interceptor.Funcs{
			Get: func(
				ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption,
			) error {
				if err := calls.make(o, strings.TrimPrefix(key.String(), "/")); err != nil {
					return err
				}
				return c.Get(ctx, key, o, opts...)
			},
			List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
				var o client.ListOptions
				o.ApplyOptions(opts)
				where := o.Namespace
				if o.LabelSelector != nil {
					where += " " + o.LabelSelector.String()
				}
				if err := calls.make(list, where); err != nil {
					return err
				}
				return c.List(ctx, list, opts...)
			},
		}).Build()
	return &Resolver{Live: live, Nodes: live, Own: ownNamespaces}, calls
}

// Calls that read EndpointSlices.
const (
	webSlices = "EndpointSliceList shop kubernetes.io/service-name=web"
	apiSlices = "EndpointSliceList default kubernetes.io/service-name=kubernetes"
)

// shop is a cluster whose namespace shop has the Service web with the ready pods web-1 on node kn1 and web-2 on node
// kn2. Each change is made to every object.
func shop(change ...func(client.Object)) []client.Object {
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}},
		&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "kubernetes"},
			Spec: corev1.ServiceSpec{ClusterIPs: []string{"10.96.0.1"}}},
		withUID("api", controllertest.Slice("default", "kubernetes", "", nil, "10.99.0.1")),
		podAt("tcpprobe-system", "manager", "10.244.9.1", "kn3"), podAt("tcpprobe-probes", "run-1", "10.244.9.2", "kn3"),
		webObject(), podAt("shop", "web-1", "10.244.1.5", "kn1"), podAt("shop", "web-2", "10.244.1.6", "kn2"),
		withUID("slice-b", controllertest.Slice("shop", "web", "-b", refTo("web-2"), "10.244.1.6")),
		withUID("slice-a", controllertest.Slice("shop", "web", "-a", refTo("web-1"), "10.244.1.5")),
	}
	for i, name := range controllertest.ThreeNodes {
		objects = append(objects, controllertest.Node(name, fmt.Sprintf("192.168.7.%d", i+1)))
	}
	for _, c := range change {
		for _, o := range objects {
			c(o)
		}
	}
	return objects
}

// of is a change of the one object of this type and name.
func of[Object client.Object](name string, change func(Object)) func(client.Object) {
	return func(o client.Object) {
		if object, is := o.(Object); is && o.GetName() == name {
			change(object)
		}
	}
}

func webObject() *corev1.Service {
	svc := exampleService(portHTTP)
	svc.Spec.ClusterIPs = []string{"10.96.0.7"}
	return svc
}

func podAt(namespace, name, address, node string) *corev1.Pod {
	pod := webPod()
	pod.Namespace, pod.Name, pod.UID = namespace, name, types.UID("uid-"+name)
	pod.Spec.NodeName, pod.Status.PodIPs = node, []corev1.PodIP{{IP: address}}
	return pod
}

func refTo(pod string) *corev1.ObjectReference {
	return &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: pod, UID: types.UID("uid-" + pod)}
}

func withUID(uid types.UID, slice *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	slice.UID, slice.Generation = uid, 1
	return slice
}

// outcome is what err says, and of which kind it is.
func outcome(err error) string {
	var r *Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &r) && r.Waiting:
		return "waiting: " + r.Error()
	case errors.As(err, &r):
		return r.Error()
	}
	return "error: " + err.Error()
}

// expect checks what the rules say about the input: the whole refusal, or "" if they let it pass.
func expect[Input any](t *testing.T, rs rules[Input], in Input, want string) {
	t.Helper()
	if got := outcome(rs.check(in)); got != want {
		t.Errorf("refusal\n%q; want\n%q", got, want)
	}
}

// expectError checks an error as expect does a refusal.
func expectError(t *testing.T, err error, want string) {
	t.Helper()
	if got := outcome(err); got != want {
		t.Errorf("outcome\n%q; want\n%q", got, want)
	}
}

var serviceTarget = &v1alpha1.ServiceTarget{Name: "web"}
