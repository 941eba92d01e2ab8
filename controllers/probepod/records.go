package probepod

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tcpprobe/tcpprobe/api/v1alpha1"
	"github.com/tcpprobe/tcpprobe/controllers/internal/text"
	"github.com/tcpprobe/tcpprobe/controllers/runplan"
)

// PodRecord is what is on record about one of a run's pods.
type PodRecord struct {
	UID types.UID `json:"uid,omitempty"` // the pod that may run; empty if none could be made
	At  time.Time `json:"at"`            // when it was released, by the manager's clock

	// How it ended, kept for when its pod is gone before the run is over: the report, or why there is none.
	Report  string `json:"report,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// PodRecords is the record of a run's pods by number, kept as an annotation of the plan. An entry's UID is
// written once and never changed: see package reconciler.
type PodRecords map[int]PodRecord

// ReadRecords reads the record. A plan without one has launched nothing.
func ReadRecords(configMap *corev1.ConfigMap) (PodRecords, error) {
	text := configMap.Annotations[runplan.AnnotationRecords]
	if text == "" {
		return PodRecords{}, nil
	}
	var l PodRecords
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return nil, fmt.Errorf("annotation %s of ConfigMap %s: %w", runplan.AnnotationRecords, configMap.Name, err)
	}
	return l, nil
}

// Write writes the record into the metadata of the plan of a run with so many sources.
func (l PodRecords) Write(configMap *corev1.ConfigMap, sources int) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode the launches of %s: %w", configMap.Name, err)
	}
	configMap.Annotations[runplan.AnnotationRecords] = string(text)
	configMap.Annotations[runplan.AnnotationOpen] = strconv.Itoa(sources - len(l))
	return nil
}

// Bounds of the record, in bytes as it is written: an object's annotations may have 256 KiB in all, of which 1000 pods
// need up to 155 KB for UIDs, times and reasons.
const (
	maxReports  = 80 << 10 // all reports together
	maxMessages = 50 << 10 // all messages together
)

// Keep puts outcomes that are settled into the record, as far as there is room, and reports whether it changed.
// Reports that do not fit stay in their pods' status alone.
func (l PodRecords) Keep(outcomes []Outcome) (changed bool) {
	room := maxReports
	for _, record := range l {
		room -= text.SizeInJSON(record.Report)
	}
	for i, o := range outcomes {
		record, launched := l[i]
		if !launched || record.Report != "" || record.Reason != "" {
			continue
		}
		switch {
		case o.State == Lost:
			record.Reason = o.Reason
			record.Message = text.CutJSON(o.Message, min(v1alpha1.MaxFindingMessage, maxMessages/len(outcomes)))
		case o.State == Reported && text.SizeInJSON(o.Text) <= room:
			record.Report = o.Text
			room -= text.SizeInJSON(record.Report)
		default:
			continue
		}
		l[i], changed = record, true
	}
	return changed
}
