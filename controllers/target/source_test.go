package target

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/controllertest"
)

func nodeList(change map[string]func(*corev1.Node), names ...string) []corev1.Node {
	var out []corev1.Node
	for _, name := range names {
		n := controllertest.Node(name, "192.168.7.1")
		if c := change[name]; c != nil {
			c(n)
		}
		out = append(out, *n)
	}
	return out
}

func tainted(effect corev1.TaintEffect) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: "dedicated", Value: "db", Effect: effect}} }
}

func TestSourcesAreReadyLinuxNodes(t *testing.T) {
	nodes := nodeList(map[string]func(*corev1.Node){
		"arm":     func(n *corev1.Node) { n.Status.NodeInfo.Architecture = "arm64" },
		"s390":    func(n *corev1.Node) { n.Status.NodeInfo.Architecture = "s390x" },
		"windows": func(n *corev1.Node) { n.Status.NodeInfo.OperatingSystem = "windows" },
		"broken":  func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionUnknown },
		"taken":   tainted(corev1.TaintEffectNoSchedule),
		"leaving": tainted(corev1.TaintEffectNoExecute),
		"cordoned": func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}}
		},
		"shy": tainted(corev1.TaintEffectPreferNoSchedule),
	}, "plain", "arm", "s390", "windows", "broken", "taken", "leaving", "shy", "cordoned")
	s := chooseSources(nodes, labels.Everything(), nil, 16, "uid")
	if want := []string{"arm", "plain", "shy"}; !slices.Equal(s.Planned, want) || s.Matched != 9 {
		t.Errorf("planned %v of %d; want %v of 9", s.Planned, s.Matched, want)
	}
	want := "broken is not Ready; cordoned has the taint node.kubernetes.io/unschedulable:NoSchedule; " +
		"leaving has the taint dedicated=db:NoExecute; s390 has architecture s390x; " +
		"taken has the taint dedicated=db:NoSchedule; windows runs windows"
	var unable []string
	for _, n := range s.Unable {
		unable = append(unable, n.String())
		if n.Passing != (n.Name == "broken" || n.Name == "cordoned") {
			t.Errorf("%s: passing %t", n, n.Passing)
		}
	}
	if got := strings.Join(unable, "; "); got != want {
		t.Errorf("unable:\n%s; want\n%s", got, want)
	}
}

func TestTolerationsOfTheAdministrator(t *testing.T) {
	tolerations := []corev1.Toleration{{Key: "dedicated", Operator: corev1.TolerationOpExists}}
	nodes := nodeList(map[string]func(*corev1.Node){
		"taken": tainted(corev1.TaintEffectNoSchedule), "leaving": tainted(corev1.TaintEffectNoExecute),
	}, "taken", "leaving")
	s := chooseSources(nodes, labels.Everything(), tolerations, 16, "uid")
	if !slices.Equal(s.Planned, []string{"taken"}) {
		t.Errorf("planned %v; want the NoSchedule node, and never a NoExecute one", s.Planned)
	}
}

func TestSelectorAndLimit(t *testing.T) {
	nodes := nodeList(map[string]func(*corev1.Node){
		"kn2": func(n *corev1.Node) { n.Labels["zone"] = "b" },
	}, "kn1", "kn2", "kn3")
	zoneB := chooseSources(nodes, labels.SelectorFromSet(labels.Set{"zone": "b"}), nil, 16, "uid")
	if zoneB.Matched != 1 || !slices.Equal(zoneB.Planned, []string{"kn2"}) {
		t.Errorf("selected %+v", zoneB)
	}
	first := chooseSources(nodes, labels.Everything(), nil, 2, "uid")
	slices.Reverse(nodes)
	again := chooseSources(nodes, labels.Everything(), nil, 2, "uid")
	if len(first.Planned) != 2 || !slices.Equal(first.Planned, again.Planned) {
		t.Errorf("the choice depends on the order of the list: %v, %v", first.Planned, again.Planned)
	}
}

func TestNoSources(t *testing.T) {
	none := sourceRules.refuse(chooseSources(nil, labels.Everything(), nil, 16, "uid"))
	if none == nil || !none.Waiting || none.Reason != v1alpha1.ReasonNoSources ||
		none.Message != "no node matches sources.selector" {
		t.Errorf("no node: %v", none)
	}
	broken := nodeList(map[string]func(*corev1.Node){"kn1": func(n *corev1.Node) { n.Status.Conditions = nil }}, "kn1")
	unable := sourceRules.refuse(chooseSources(broken, labels.Everything(), nil, 16, "uid"))
	if unable == nil || !strings.Contains(unable.Message, "kn1 is not Ready") {
		t.Errorf("no able node: %v", unable)
	}
}

// TestWhatIsToldOfNodes: messages name nodes and their taints, as docs/security.md says, and nothing else of them.
func TestWhatIsToldOfNodes(t *testing.T) {
	const hidden = "hidden-"
	r, _ := resolverOf(shop(consents, func(o client.Object) {
		if n, is := o.(*corev1.Node); is {
			n.Labels[hidden+"label"], n.Annotations = hidden+"value", map[string]string{hidden + "annotation": hidden}
			n.Spec.ProviderID = hidden + "provider"
			n.Status.NodeInfo.KernelVersion, n.Status.NodeInfo.MachineID = hidden+"kernel", hidden+"machine"
			n.Status.Addresses = append(n.Status.Addresses, corev1.NodeAddress{Address: hidden + n.Name})
			n.Spec.PodCIDR = "10.250.0.0/24"
		}
	}, of("kn3", func(n *corev1.Node) {
		n.Spec.Taints = []corev1.Taint{{Key: "team", Value: "red", Effect: corev1.TaintEffectNoSchedule}}
	}))...)
	res, err := r.Resolve(t.Context(), controllertest.Probe())
	if err != nil {
		t.Fatal(err)
	}
	said := []string{res.Note("")}
	nowhere := Sources{Matched: 1, Unable: res.Sources.Unable}
	said = append(said, sourceRules.refuse(nowhere).Message)
	for _, text := range said {
		if !strings.Contains(text, "kn3 has the taint team=red:NoSchedule") {
			t.Errorf("%q does not say why kn3 cannot probe", text)
		}
		for _, secret := range []string{hidden, "192.168.7.", "10.250."} {
			if strings.Contains(text, secret) {
				t.Errorf("%q tells %s", text, secret)
			}
		}
	}
}

// TestAbleNode: one that can probe has no reason why not, and so none that passes.
func TestAbleNode(t *testing.T) {
	if why, passing := unable(controllertest.Node("kn1", "192.168.7.1"), nil); why != "" || passing {
		t.Errorf("%q, passing %t", why, passing)
	}
}
