//go:build envtest

package envtest

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// managersRecorder is the recorder of events that the manager has, with the manager's rights.
func managersRecorder(t *testing.T) events.EventRecorder {
	t.Helper()
	c := rest.CopyConfig(admin)
	c.Impersonate = rest.ImpersonationConfig{UserName: manager}
	k, err := kubernetes.NewForConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: k.EventsV1()})
	t.Cleanup(broadcaster.Shutdown)
	if err := broadcaster.StartRecordingToSinkWithContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return broadcaster.NewRecorder(api.Scheme(), "tcpprobe")
}

// TestEachEventStandsForItself: client-go takes an event about the same version of an object, with the same reason, for
// a repeat, keeps the first one's message and patches it, which the manager may not. An event about another version is
// one of its own.
func TestEachEventStandsForItself(t *testing.T) {
	policed(t) // after it the API server knows the manager's role
	probe := &v1alpha1.TCPProbe{ObjectMeta: metav1.ObjectMeta{Namespace: namespace(t), Name: "web", UID: "some-uid"}}
	recorder := managersRecorder(t)
	for i, version := range []string{"1", "2"} {
		probe.ResourceVersion = version
		recorder.Eventf(probe, nil, corev1.EventTypeWarning, "SequenceZeroDropped", v1alpha1.ConditionPathHealthy,
			"of version %s", version)
		var list eventsv1.EventList
		err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true,
			func(ctx context.Context) (bool, error) {
				err := api.List(ctx, &list, client.InNamespace(probe.Namespace))
				return len(list.Items) == i+1, err
			})
		if err != nil {
			t.Fatalf("version %s: %v: %+v", version, err, list.Items)
		}
	}
}
