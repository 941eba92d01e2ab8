package reconciler

import (
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

// TestStuckManagerIsNotAlive: a pass that does not end makes the kubelet start the manager anew; one that ends does
// not, however it ends.
func TestStuckManagerIsNotAlive(t *testing.T) {
	var p reconciles
	key := client.ObjectKey{Namespace: "shop", Name: "web"}
	end := p.begin(key, controllertest.Noon)
	if err := p.stuck(controllertest.Noon.Add(stuckAfter)); err != nil {
		t.Error(err)
	}
	if err := p.stuck(controllertest.Noon.Add(stuckAfter + time.Second)); err == nil || !strings.Contains(err.Error(),
		"shop/web for 5m1s") {
		t.Errorf("stuck: %v", err)
	}
	end()
	if err := p.stuck(controllertest.Noon.Add(time.Hour)); err != nil {
		t.Error(err)
	}
}
