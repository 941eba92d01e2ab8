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

// createError turns an error of the API server into a Refusal with a reason. It is shown until a retry succeeds. An
// error that says nothing about the object is returned as it is.
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

// createFailures has, by run ID, the time since which every creation of a pod has failed. A manager that restarts
// counts anew.
type createFailures struct {
	mu    sync.Mutex
	first map[string]time.Time
}

// since is for how long creations of the run's pods have failed, or 0 if they do not fail.
func (f *createFailures) since(run string, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if first, refused := f.first[run]; refused {
		return now.Sub(first)
	}
	return 0
}

func (f *createFailures) mark(run string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, refused := f.first[run]; refused {
		return
	}
	if f.first == nil {
		f.first = make(map[string]time.Time)
	}
	f.first[run] = now
}

func (f *createFailures) forget(run string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.first, run)
}
