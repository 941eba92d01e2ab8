package reconciler

import (
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestStuckManagerIsNotAlive: if a reconcile does not end, the kubelet restarts the manager. If it ends, with whatever
// result, the kubelet does not.
func TestStuckManagerIsNotAlive(t *testing.T) {
	var r reconciles
	key := client.ObjectKey{Namespace: "shop", Name: "web"}
	end := r.begin(key, controllertest.Noon)
	if err := r.stuck(controllertest.Noon.Add(stuckAfter)); err != nil {
		t.Error(err)
	}
	err := r.stuck(controllertest.Noon.Add(stuckAfter + time.Second))
	if err == nil || !strings.Contains(err.Error(), "shop/web for 5m1s") {
		t.Errorf("stuck: %v", err)
	}
	end()
	if err := r.stuck(controllertest.Noon.Add(time.Hour)); err != nil {
		t.Error(err)
	}
}
