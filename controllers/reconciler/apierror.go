package reconciler

import (
	"errors"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

// classifyAPIError turns an error of the API server, for a write that it did not carry out, into a Refusal with a
// reason. It is shown until a retry succeeds. An error that says nothing about the object is returned as it is.
func classifyAPIError(err error) (*target.Refusal, error) {
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
