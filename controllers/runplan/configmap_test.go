package runplan_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest/plantest"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
	"github.com/tcpprobe/tcpprobe/controllers/target"
)

func TestNamesFitHostNames(t *testing.T) {
	for _, probe := range []string{"w", "web", "a.b.c", strings.Repeat("x", 63),
		strings.Repeat("x", 35) + "-" + strings.Repeat("y", 20), strings.Repeat("x", 35) + "..x"} {
		name := runplan.PodName(runplan.ConfigMapName(probe, "abcdefghij-klmnopqrst"), 999)
		if bad := validation.IsDNS1123Label(name); len(bad) > 0 {
			t.Errorf("%q of TCPProbe %q: %v", name, probe, bad)
		}
	}
}

func TestConfigMapIsImmutableAndLabelled(t *testing.T) {
	probe := controllertest.Probe()
	rp := plantest.Example([]string{"kn1", "kn2"}, []string{"kn3"})
	configMap, err := runplan.NewConfigMap(probe, rp, "tcpprobe-probes")
	if err != nil {
		t.Fatal(err)
	}
	if configMap.Immutable == nil || !*configMap.Immutable || configMap.Namespace != "tcpprobe-probes" ||
		len(configMap.Finalizers) > 0 ||
		configMap.Annotations[runplan.AnnotationOpen] != "2" {
		t.Errorf("ConfigMap %+v", configMap.ObjectMeta)
	}
	if key := runplan.ProbeOf(configMap); key.Namespace != "shop" || key.Name != "web" ||
		configMap.Labels[runplan.LabelUID] != string(probe.UID) || configMap.Labels[runplan.LabelRun] != rp.Plan.Run {
		t.Errorf("labels %v", configMap.Labels)
	}
}

func TestPlanThatIsTooLargeIsRefused(t *testing.T) {
	rp := plantest.Example([]string{"kn1"}, []string{"kn3"})
	for i := range 1000 {
		node := strings.Repeat("n", 240) + fmt.Sprint(i)
		rp.Plan.Sources[node] = make([]int, 300)
	}
	_, err := runplan.NewConfigMap(controllertest.Probe(), rp, "tcpprobe-probes")
	var r *target.Refusal
	if !errors.As(err, &r) || !strings.Contains(r.Message, "lower sources.max") {
		t.Errorf("error %v", err)
	}
}
