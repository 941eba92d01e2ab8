package plan

import (
	"maps"
	"slices"
)

// MaxConnections is the largest cap of AcceptQueue. It is above the longest usual queue: 4,097 connections in a Go
// server with the kernel's default net.core.somaxconn. It is below 4,535, the number of source ports that a source may
// use for one target in two minutes.
const MaxConnections = 4200

// LeastQueueRate is the lowest rate in packets per second. A full queue is held for two seconds, and with a lower rate
// an overflow could not be confirmed in that time.
const LeastQueueRate = 50

// What a test of one queue takes at least: segments to open and end each connection, some before, and the seconds for
// which a full queue is held.
const (
	QueueSegmentsEach   = 4
	QueueSegmentsBefore = 100
	QueueHeldSeconds    = 2
)

// DefaultConnections is what AcceptQueue without options may open.
const DefaultConnections = 256

// QueueSeconds is the least time that a test of one queue takes.
func QueueSeconds(connections, packetsPerSecond int) int {
	return QueueHeldSeconds + (QueueSegmentsEach*connections+QueueSegmentsBefore)/packetsPerSecond
}

// validQueues checks that every AcceptQueue has a cap on connections and enough time for them.
func (p *Plan) validQueues() error {
	for i, s := range p.Scenarios {
		if s.Type != "AcceptQueue" {
			if s.AcceptQueue != nil {
				return invalid("scenario %d has acceptQueue, which belongs to type AcceptQueue", i)
			}
			continue
		}
		if err := p.validQueue(i, s.AcceptQueue); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) validQueue(i int, q *AcceptQueue) error {
	switch {
	case q == nil:
		return invalid("scenario %d of type AcceptQueue has no acceptQueue.maxConnections: how many connections may it open?",
			i)
	case q.MaxConnections < 1 || q.MaxConnections > MaxConnections:
		return invalid("scenario %d has acceptQueue.maxConnections %d; need 1 to %d", i, q.MaxConnections, MaxConnections)
	case p.PacketsPerSecond < LeastQueueRate:
		return invalid("packetsPerSecond %d; type AcceptQueue needs %d or more, to confirm an overflow within the 2 s for "+
			"which it holds a full queue",
			p.PacketsPerSecond, LeastQueueRate)
	}
	for _, source := range slices.Sorted(maps.Keys(p.Sources)) {
		if err := p.validFilling(i, source, q.MaxConnections); err != nil {
			return err
		}
	}
	return nil
}

// validFilling refuses a ClusterIP, because its connections may reach the queue of any pod. It also refuses a source
// that cannot fill all its queues, one after the other, before the deadline.
func (p *Plan) validFilling(scenario int, source string, connections int) error {
	queues := 0
	for _, target := range p.Sources[source] {
		if !p.Asks(source, Check{Scenario: scenario}, target) {
			continue
		}
		if p.Targets[target].Via == "ClusterIP" {
			return invalid("scenario %d of type AcceptQueue is asked of target %d, a ClusterIP, which spreads connections "+
				"over the queues of many pods; ask the pods", scenario, target)
		}
		queues++
	}
	seconds := queues * QueueSeconds(connections, p.PacketsPerSecond)
	if seconds > p.DeadlineSeconds {
		return invalid("source %.80q takes %d s to open %d connections to %d targets at %d packets a second, and the "+
			"deadline is %d s; lower maxConnections, or raise packetsPerSecond or the deadline",
			source, seconds, connections, queues, p.PacketsPerSecond, p.DeadlineSeconds)
	}
	return nil
}
