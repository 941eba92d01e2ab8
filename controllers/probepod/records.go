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

// PodRecord is the record of one of a run's pods.
type PodRecord struct {
	UID types.UID `json:"uid,omitempty"` // the pod that may run; empty if none could be made
	At  time.Time `json:"at"`            // when it was made, by the clock of the manager that did, for people

	// How it ended: the report, or why there is none. It is kept in case the pod is deleted before the run ends.
	Report  string `json:"report,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// PodRecords are the records of a run's pods by number. They are kept as an annotation of the plan. The UID of an
// entry is written once and never changed: see package reconciler.
type PodRecords map[int]PodRecord

// ReadRecords reads the records. A plan without the annotation has released no pod.
func ReadRecords(configMap *corev1.ConfigMap) (PodRecords, error) {
	text := configMap.Annotations[runplan.AnnotationRecords]
	if text == "" {
		return PodRecords{}, nil
	}
	var records PodRecords
	if err := json.Unmarshal([]byte(text), &records); err != nil {
		return nil, fmt.Errorf("annotation %s of ConfigMap %s: %w", runplan.AnnotationRecords, configMap.Name, err)
	}
	return records, nil
}

// Write writes the records into the annotations of the plan. sources is the number of sources of the run.
func (records PodRecords) Write(configMap *corev1.ConfigMap, sources int) error {
	text, err := json.Marshal(records)
	if err != nil {
		return fmt.Errorf("encode the pod records of %s: %w", configMap.Name, err)
	}
	configMap.Annotations[runplan.AnnotationRecords] = string(text)
	configMap.Annotations[runplan.AnnotationOpen] = strconv.Itoa(sources - len(records))
	return nil
}

// Bounds of the records, in bytes as they are written. An object's annotations may have 256 KiB in all, of which 1000
// pods need up to 155 KB for UIDs, times and reasons.
const (
	maxReports  = 80 << 10 // all reports together
	maxMessages = 50 << 10 // all messages together
)

// Keep records the outcomes that are final, as far as there is room, and reports whether anything changed. Reports
// that do not fit stay in their pods' status alone.
func (records PodRecords) Keep(outcomes []Outcome) (changed bool) {
	room := maxReports
	for _, record := range records {
		room -= text.SizeInJSON(record.Report)
	}
	for i, o := range outcomes {
		record, recorded := records[i]
		if !recorded || record.Report != "" || record.Reason != "" {
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
		records[i], changed = record, true
	}
	return changed
}
