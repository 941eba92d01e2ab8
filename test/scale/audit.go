package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
)

// write is what the API server's audit log says of one write of the manager.
type write struct {
	Verb      string
	ObjectRef struct{ Resource, Subresource, Namespace, Name string }
	Status    struct{ Code int } `json:"responseStatus"`
	At        time.Time          `json:"requestReceivedTimestamp"`
}

// what names the verb and the kind of object.
func (w *write) what() string {
	kind := w.ObjectRef.Resource
	if w.ObjectRef.Subresource != "" {
		kind += "/" + w.ObjectRef.Subresource
	}
	return w.Verb + " " + kind
}

// writes are the numbers of writes.
type writes struct {
	All      map[string]int         // by what
	toStatus map[string][]time.Time // of TCPProbes, by namespace/name
	Refused  int                    // conflicts and the like
}

// countWrites reads audit events, one a line.
func countWrites(log io.Reader) (w writes, err error) {
	w.All, w.toStatus = make(map[string]int), make(map[string][]time.Time)
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one write
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return w, fmt.Errorf("the audit log: %w", err)
		}
		w.All[one.what()]++
		if one.what() == "update tcpprobes/status" {
			key := one.ObjectRef.Namespace + "/" + one.ObjectRef.Name
			w.toStatus[key] = append(w.toStatus[key], one.At)
		}
		if one.Status.Code >= 400 {
			w.Refused++
		}
	}
	return w, lines.Err()
}

// attribute counts the writes of the status for each of a TCPProbe's runs, from its start until the next one's. A last
// run whose end was not seen is left out.
func attribute(runs []probeRun, at []time.Time) []int {
	counts := make([]int, len(runs))
	for _, t := range at {
		i := len(runs) - 1
		for i >= 0 && t.Before(runs[i].Start) { // it is rounded down to seconds
			i--
		}
		if i >= 0 && t.Before(runs[i].End.Add(2*time.Second)) {
			counts[i]++
		}
	}
	return counts
}

// bound is how often a run's status may be written: when it is announced, when its plan is recorded, at the end, and
// once a second between. Both times of the run are rounded down to seconds.
func (r probeRun) bound() int { return 4 + int(r.End.Sub(r.Start)/time.Second) }

// written counts the manager's writes since the log had this size. The API server writes the log before it answers.
func (c *controlPlane) written(since int64) (writes, error) {
	log, err := os.Open(c.file("audit.log"))
	if err != nil {
		return writes{}, err
	}
	defer log.Close()
	if _, err := log.Seek(since, io.SeekStart); err != nil {
		return writes{}, err
	}
	return countWrites(log)
}

func (c *controlPlane) auditSize() int64 {
	info, err := os.Stat(c.file("audit.log"))
	if err != nil {
		return 0 // nothing has been written yet
	}
	return info.Size()
}
