//go:build envtest

package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

func TestRunOnceFromApplyToVerdict(t *testing.T) {
	w := newWorld(t)
	w.pod("web-1", "kn1", "10.244.1.5")
	w.pod("web-2", "kn2", "10.244.2.5")
	p := w.probe()
	r := w.manager(w.api)
	done := w.drive(r, p, over(1))
	for _, c := range done.Status.Conditions {
		t.Log(c.Type, c.Status, c.Reason, c.Message)
	}
	w.condition(done, v1alpha1.ConditionPathHealthy, metav1.ConditionTrue, v1alpha1.ReasonAllPassed)
	w.empty()
	w.cast.once()
}
