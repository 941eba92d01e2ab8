package reconciler

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// TestCreateFailuresKeepTheReason: one answer of a busy API server does not hide the quota that has been full all the
// time, and does not last if there is another reason.
func TestCreateFailuresKeepTheReason(t *testing.T) {
	quota := target.Waiting(v1alpha1.ReasonQuota, "full")
	busy := target.Waiting(v1alpha1.ReasonServerError, "busy")
	f, now := make(createFailures), controllertest.Noon
	for i, c := range []struct {
		refusal *target.Refusal
		want    string
	}{
		{busy, v1alpha1.ReasonServerError},
		{quota, v1alpha1.ReasonQuota},
		{busy, v1alpha1.ReasonQuota},
		{target.Waiting(v1alpha1.ReasonPodRefused, "no"), v1alpha1.ReasonPodRefused},
	} {
		at := now.Add(time.Duration(i) * time.Second)
		if got := f.mark("plan", at, c.refusal); got.Reason != c.want {
			t.Errorf("failure %d: %s, want %s", i, got.Reason, c.want)
		}
		if since := f.since("plan", at); since != time.Duration(i)*time.Second {
			t.Errorf("failure %d: for %v", i, since)
		}
	}
}
