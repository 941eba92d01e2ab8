package watch

import (
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/report"
)

// Count counts rounds and what they led to.
type Count struct {
	Rounds        int `json:"rounds"` // that were judged
	Void          int `json:"void"`
	SuspectsLost  int `json:"suspectsLost"`
	ControlsLost  int `json:"controlsLost"`
	Late          int `json:"late"`   // suspects whose controls were on time
	Silent        int `json:"silent"` // rounds of which nothing came back
	Suspicions    int `json:"suspicions"`
	Blocks        int `json:"blocks"`
	Findings      int `json:"findings"`
	Connections   int `json:"connections"`
	EndedByPeer   int `json:"endedByPeer"`
	DeadFlows     int `json:"deadFlows"`     // connections that were silent although others came about
	NotSeenToEnd  int `json:"notSeenToEnd"`  // connections of which nothing shows whether the peer holds them
	StillHeldByIt int `json:"stillHeldByIt"` // connections of which the peer showed that it does
}

// Plus adds two counts.
func (n Count) Plus(m Count) Count {
	return Count{n.Rounds + m.Rounds, n.Void + m.Void, n.SuspectsLost + m.SuspectsLost, n.ControlsLost + m.ControlsLost,
		n.Late + m.Late, n.Silent + m.Silent, n.Suspicions + m.Suspicions, n.Blocks + m.Blocks, n.Findings + m.Findings,
		n.Connections + m.Connections, n.EndedByPeer + m.EndedByPeer, n.DeadFlows + m.DeadFlows,
		n.NotSeenToEnd + m.NotSeenToEnd, n.StillHeldByIt + m.StillHeldByIt}
}

func (p *Path) noteEnd(confirmed, left bool) {
	switch {
	case left:
		p.count.StillHeldByIt++
	case !confirmed:
		p.count.NotSeenToEnd++
	}
}

// freshBeats is for how many heartbeats an answer tells how a path is.
const freshBeats = 3

// Verdict is Fail if the path failed at any time, and Pass if it is known to be well. The loss of a connection, or of
// the whole path, is no finding of this kind.
func (p *Path) Verdict(now time.Time) report.Verdict {
	fresh := freshBeats * max(p.settings.Heartbeat, touchEvery)
	switch {
	case p.count.Findings > 0:
		return report.Fail
	case p.unconsented, p.interfered, p.claim != nil || p.block != nil: // it was about to be decided
	case p.state == Healthy && now.Sub(p.reached) < fresh && p.count.DeadFlows == 0 && !p.someUnasked():
		return report.Pass
	}
	return report.Inconclusive
}

func (p *Path) someUnasked() bool { return slices.ContainsFunc(p.questions, (*question).unasked) }
