package controllers

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
)

// Labels and annotations of everything in the probe namespace.
const (
	labelManagedBy = "app.kubernetes.io/managed-by"
	managedBy      = "tcpprobe"
	labelNamespace = "tcpprobe.dev/probe-namespace"
	labelName      = "tcpprobe.dev/probe-name"
	labelUID       = "tcpprobe.dev/probe-uid"
	labelRun       = "tcpprobe.dev/run-id"

	annotationSource   = "tcpprobe.dev/source"   // of a pod: its node
	annotationOpen     = "tcpprobe.dev/open"     // of an order: how many pods are still to be made
	annotationLaunches = "tcpprobe.dev/launches" // of an order: which pods are released, see Launches
)

// Keys of an order's data.
const (
	keyPlan      = "plan.json"      // for the prober
	keyWitnesses = "witnesses.json" // for the manager
)

// newOrder is the ConfigMap that holds a frozen run. It is immutable, and the controller owner of the run's pods:
// without an owner they would block `kubectl drain`, and when it goes, they go.
func newOrder(probe *v1alpha1.TCPProbe, f *Frozen, namespace string) (*corev1.ConfigMap, error) {
	planJSON, witnessJSON, err := f.encode()
	if err != nil {
		return nil, fmt.Errorf("encode the plan of run %s: %w", f.Plan.Run, err)
	}
	if n := len(planJSON) + len(witnessJSON); n > maxFrozen {
		return nil, refused(v1alpha1.ReasonNotSupported, "the plan of %d nodes and %d endpoints has %d bytes, more than fit a ConfigMap; lower sources.max or target.service.maxEndpoints", len(f.Plan.Sources), len(f.Plan.Targets), n)
	}
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: orderName(probe.Name, f.Plan.Run), Namespace: namespace, Labels: orderLabels(probe, f.Plan.Run),
			Annotations: map[string]string{annotationOpen: strconv.Itoa(len(f.Plan.Sources))},
		},
		Immutable: ptr.To(true),
		Data:      map[string]string{keyPlan: planJSON, keyWitnesses: witnessJSON},
	}, nil
}

func orderLabels(probe *v1alpha1.TCPProbe, run string) map[string]string {
	return map[string]string{
		labelManagedBy: managedBy,
		labelNamespace: probe.Namespace,
		labelName:      probe.Name,
		labelUID:       string(probe.UID),
		labelRun:       run,
	}
}

// orderName starts with the TCPProbe's name for people, and is unique by the run's ID. With a pod's number
// behind it, it still fits a host name's 63 characters.
func orderName(probe, run string) string {
	const most = 36
	head := strings.ReplaceAll(probe, ".", "-")
	return strings.TrimRight(head[:min(len(head), most)], "-") + "-" + run
}

// podName is the name of the run's pod number i. Every manager gives the same one.
func podName(order string, i int) string { return fmt.Sprintf("%s-%d", order, i) }

// Launch is what is on record about one of a run's pods.
type Launch struct {
	UID types.UID `json:"uid,omitempty"` // the pod that may run; empty if none could be made
	At  time.Time `json:"at"`            // when it was released, by the manager's clock

	// How it ended, kept for when its pod is gone before the run is over: the report, or why there is none.
	Report  string `json:"report,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// Launches is the record of a run's pods by number, kept as an annotation of the order. An entry's UID is
// written once and never changed: see the package's comment.
type Launches map[int]Launch

// launchesOf reads the record. An order without one has launched nothing.
func launchesOf(order *corev1.ConfigMap) (Launches, error) {
	text := order.Annotations[annotationLaunches]
	if text == "" {
		return Launches{}, nil
	}
	var l Launches
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return nil, fmt.Errorf("annotation %s of ConfigMap %s: %w", annotationLaunches, order.Name, err)
	}
	return l, nil
}

// record writes the record into the metadata of the order of a run with so many sources.
func (l Launches) record(order *corev1.ConfigMap, sources int) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode the launches of %s: %w", order.Name, err)
	}
	order.Annotations[annotationLaunches] = string(text)
	order.Annotations[annotationOpen] = strconv.Itoa(sources - len(l))
	return nil
}

// latest is when a pod was last released, or start.
func (l Launches) latest(start time.Time) time.Time {
	for _, launch := range l {
		if launch.Reason == "" && launch.At.After(start) {
			start = launch.At
		}
	}
	return start
}

// Bounds of the record, in bytes as it is written: an object's annotations may have 256 KiB in all, of which 1000 pods
// need up to 155 KB for UIDs, times and reasons.
const (
	maxReports  = 80 << 10 // all reports together
	maxMessages = 50 << 10 // all messages together
)

// keep puts outcomes that are settled into the record, as far as there is room, and reports whether it changed.
// Reports that do not fit stay in their pods' status alone.
func (l Launches) keep(outcomes []Outcome) (changed bool) {
	room := maxReports
	for _, launch := range l {
		room -= written(launch.Report)
	}
	for i, o := range outcomes {
		launch, launched := l[i]
		if !launched || launch.Report != "" || launch.Reason != "" {
			continue
		}
		switch {
		case o.State == Lost:
			launch.Reason, launch.Message = o.Reason, fitting(o.Message, min(v1alpha1.MaxFindingMessage, maxMessages/len(outcomes)))
		case o.State == Reported && written(o.Text) <= room:
			launch.Report = o.Text
			room -= written(launch.Report)
		default:
			continue
		}
		l[i], changed = launch, true
	}
	return changed
}

// written is how many bytes s has within JSON.
func written(s string) int {
	text, err := json.Marshal(s)
	if err != nil {
		panic("controllers: a string does not marshal: " + err.Error())
	}
	return len(text) - len(`""`)
}

// fitting shortens s to at most limit bytes within JSON.
func fitting(s string, limit int) string {
	for s = cut(s, limit); written(s) > limit; {
		s = cut(s, len(s)*3/4)
	}
	return s
}

// cut shortens s to at most limit bytes.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const more = "…"
	end := limit - len(more)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}
