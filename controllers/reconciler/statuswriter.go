package reconciler

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/conditions"
)

// statusWriter writes the status of TCPProbes, and events about what changed in it.
type statusWriter struct {
	probes  client.StatusClient
	events  events.EventRecorder
	written pace
}

// write computes the conditions and writes the status if it changed, under the resourceVersion that was read: the API
// server refuses it if anybody wrote the TCPProbe since. The events regard the version that was written, so client-go
// never counts one as a repeat of another: a series shows the message of its first event only.
func (w *statusWriter) write(ctx context.Context, rc *reconcileContext, o conditions.Observation) error {
	conditions.Set(rc.probe, o, rc.now)
	if equality.Semantic.DeepEqual(rc.stored, rc.probe.Status) {
		return nil
	}
	before := rc.stored.Conditions
	if err := w.probes.Status().Update(ctx, rc.probe); err != nil {
		return fmt.Errorf("write the status of TCPProbe %s/%s: %w", rc.probe.Namespace, rc.probe.Name, err)
	}
	w.written.mark(rc.key(), rc.now)
	rc.stored = *rc.probe.Status.DeepCopy()
	for _, e := range conditions.Events(before, &rc.stored) {
		w.events.Eventf(rc.probe, nil, e.Kind, e.Reason, e.Action, "%s", e.Note)
	}
	return nil
}
