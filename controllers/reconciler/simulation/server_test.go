package simulation

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// server is an API server in memory, with the preconditions that a real one honours. What is stored is never changed in
// place: an object is replaced by another one.
type server struct {
	ahead   time.Duration // of its clock
	written func(before, after client.Object)

	mu       sync.Mutex
	revision int
	created  map[string]int                                    // by kind and name
	objects  map[string]map[types.NamespacedName]client.Object // by kind
}

func newServer(ahead time.Duration, written func(before, after client.Object)) *server {
	return &server{ahead: ahead, written: written, created: map[string]int{},
		objects: map[string]map[types.NamespacedName]client.Object{}}
}

func kindOf(o any) string { return strings.TrimSuffix(reflect.TypeOf(o).Elem().Name(), "List") }

func nameOf(o client.Object) types.NamespacedName { return client.ObjectKeyFromObject(o) }

func copyOf[T client.Object](o T) T {
	c, _ := o.DeepCopyObject().(T)
	return c
}

func (s *server) now() metav1.Time {
	return metav1.NewTime(time.Now().Add(s.ahead).Truncate(time.Second))
}

// get returns the stored object, which must not be changed, or nil.
func (s *server) get(kind string, name types.NamespacedName) client.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[kind][name]
}

// list returns the stored objects of a kind, in the order of their names.
func (s *server) list(kind string) []client.Object {
	return slices.SortedFunc(maps.Values(s.all(kind)), func(a, b client.Object) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
}

// all is what a watch of the kind leads to.
func (s *server) all(kind string) map[types.NamespacedName]client.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.objects[kind])
}

// find returns the stored object of this type, or nil.
func find[T any](s *server, name types.NamespacedName) *T {
	o, _ := any(s.get(kindOf((*T)(nil)), name)).(*T)
	return o
}

// put replaces before by after. One of them may be nil. s.mu is held.
func (s *server) put(before, after client.Object) {
	s.revision++
	if after == nil {
		delete(s.objects[kindOf(before)], nameOf(before))
	} else {
		kind := kindOf(after)
		if s.objects[kind] == nil {
			s.objects[kind] = map[types.NamespacedName]client.Object{}
		}
		after.SetResourceVersion(strconv.Itoa(s.revision))
		s.objects[kind][nameOf(after)] = after
	}
	s.written(before, after)
}

func resource(o client.Object) schema.GroupResource {
	return schema.GroupResource{Resource: strings.ToLower(kindOf(o)) + "s"}
}

func conflict(o client.Object, why string) error {
	return apierrors.NewConflict(resource(o), o.GetName(), errors.New(why))
}

func notFound(o client.Object) error { return apierrors.NewNotFound(resource(o), o.GetName()) }

func (s *server) create(o client.Object) (client.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects[kindOf(o)][nameOf(o)] != nil {
		return nil, apierrors.NewAlreadyExists(resource(o), o.GetName())
	}
	stored := copyOf(o)
	key := strings.ToLower(kindOf(o)) + "-" + o.GetName()
	s.created[key]++ // not the revision: within an instant, the order of writes is chance
	stored.SetUID(types.UID(fmt.Sprintf("%s-%d", key, s.created[key])))
	stored.SetCreationTimestamp(s.now())
	stored.SetGeneration(1)
	s.put(nil, stored)
	return stored, nil
}

// set makes o a copy of from.
func set(o, from client.Object) { reflect.ValueOf(o).Elem().Set(reflect.ValueOf(copyOf(from)).Elem()) }

// updateStatus writes the status of a TCPProbe under its resourceVersion.
func (s *server) updateStatus(probe *v1alpha1.TCPProbe) (client.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, _ := s.objects[kindOf(probe)][nameOf(probe)].(*v1alpha1.TCPProbe)
	switch {
	case before == nil:
		return nil, notFound(probe)
	case before.UID != probe.UID || before.ResourceVersion != probe.ResourceVersion:
		return nil, conflict(probe, "it was written since")
	}
	after := copyOf(before)
	text, err := json.Marshal(probe.Status) // with the precision that is stored
	if err != nil {
		return nil, err
	}
	after.Status = v1alpha1.TCPProbeStatus{}
	if err := json.Unmarshal(text, &after.Status); err != nil {
		return nil, err
	}
	s.put(before, after)
	return after, nil
}

// patch applies a merge patch, plain or strategic. A UID or resourceVersion in it is a precondition.
func (s *server) patch(o client.Object, kind types.PatchType, patch []byte) (client.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.objects[kindOf(o)][nameOf(o)]
	if before == nil {
		return nil, notFound(o)
	}
	var wanted struct{ Metadata metav1.ObjectMeta }
	if err := json.Unmarshal(patch, &wanted); err != nil {
		return nil, err
	}
	if uid := wanted.Metadata.UID; uid != "" && uid != before.GetUID() {
		return nil, conflict(o, "it is another one")
	}
	if v := wanted.Metadata.ResourceVersion; v != "" && v != before.GetResourceVersion() {
		return nil, conflict(o, "it was written since")
	}
	text, err := json.Marshal(before)
	if err != nil {
		return nil, err
	}
	if kind == types.StrategicMergePatchType {
		text, err = strategicpatch.StrategicMergePatch(text, patch, before)
	} else {
		text, err = jsonpatch.MergePatch(text, patch)
	}
	if err != nil {
		return nil, err
	}
	after, _ := reflect.TypeAssert[client.Object](reflect.New(reflect.TypeOf(before).Elem()))
	if err := json.Unmarshal(text, after); err != nil {
		return nil, err
	}
	s.put(before, after)
	return after, nil
}

// change edits an object as its owner or a kubelet does: what is read is current. edit returns false to leave it.
func change[T client.Object](s *server, like T, edit func(T) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.objects[kindOf(like)][nameOf(like)].(T)
	if !ok || like.GetUID() != "" && like.GetUID() != before.GetUID() {
		return
	}
	if after := copyOf(before); edit(after) {
		s.put(before, after)
	}
}

// remove deletes an object; with a UID only that one. A pod that runs stays for a while, marked.
func (s *server) remove(o client.Object, uid types.UID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.objects[kindOf(o)][nameOf(o)]
	switch {
	case before == nil:
		return notFound(o)
	case uid != "" && uid != before.GetUID():
		return conflict(o, "it is another one")
	}
	pod, isPod := before.(*corev1.Pod)
	if isPod && pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil {
		after := pod.DeepCopy()
		now := s.now()
		after.DeletionTimestamp = &now
		s.put(before, after)
		return nil
	}
	s.put(before, nil)
	return nil
}
