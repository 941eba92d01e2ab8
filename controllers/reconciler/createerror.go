package reconciler

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// createError sorts an error of the API server: what it refuses may be allowed later, and is shown until then. An
// error that says nothing about the pod comes back as it is.
func createError(err error) (*target.Refusal, error) {
	var status apierrors.APIStatus
	switch {
	case !errors.As(err, &status) || apierrors.IsConflict(err) || apierrors.IsTimeout(err) ||
		apierrors.IsServerTimeout(err):
		return nil, err
	case apierrors.IsForbidden(err) && strings.Contains(status.Status().Message, "exceeded quota"):
		return target.Waiting(v1alpha1.ReasonQuota, "%s", status.Status().Message), nil
	case apierrors.IsTooManyRequests(err) || status.Status().Code >= http.StatusInternalServerError:
		return target.Waiting(v1alpha1.ReasonServerError, "%s", status.Status().Message), nil
	}
	return target.Waiting(v1alpha1.ReasonPodRefused, "%s", status.Status().Message), nil
}

// createFailures remembers since when the cluster has refused every pod of a run, by the run's ID. A manager that
// starts anew begins to count anew.
type createFailures struct {
	mu    sync.Mutex
	first map[string]time.Time
}

// since is how long the run has been refused; 0 if it is not.
func (h *createFailures) since(run string, now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if first, refused := h.first[run]; refused {
		return now.Sub(first)
	}
	return 0
}

func (h *createFailures) mark(run string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, refused := h.first[run]; refused {
		return
	}
	if h.first == nil {
		h.first = make(map[string]time.Time)
	}
	h.first[run] = now
}

func (h *createFailures) forget(run string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.first, run)
}
