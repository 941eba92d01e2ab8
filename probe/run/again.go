package run

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// againTime bounds how long the ports of one check are asked again. At most a quarter of the run's time is used.
const againTime = 30 * time.Second

// askAgain asks some source ports once more, alone and one after the other, if some flows of a check failed and others
// passed. If the path decides, each port gives the same answer again. It stops at the first port that does not.
func (j *job) askAgain(ctx context.Context, ask flow.Func, env flow.Env, a *answer) {
	failed, passed := portsOf(a.flows, report.Fail), portsOf(a.flows, report.Pass)
	if !a.perPath || a.finding != nil || env.OpenFrom == nil || len(failed) == 0 || len(passed) == 0 {
		return
	}
	if found, _ := verdict.Combine(findingsOf(a.flows)); notOfPaths[found.Reason] {
		return
	}
	// What is asked again is no further sample.
	env.Firsts, env.Wraps = verdict.NewFirsts(j.alpha), verdict.NewWraps(j.alpha)
	ctx, stop := context.WithTimeout(ctx, j.againTime())
	defer stop()
	for i := range verdict.RepeatsOfEach {
		round := []repeat{{report.Fail, failed[i%len(failed)]}, {report.Pass, passed[i%len(passed)]}}
		rand.Shuffle(len(round), func(k, l int) { round[k], round[l] = round[l], round[k] })
		for _, r := range round {
			o := ask(ctx, fromPort(env, r.port))
			a.again = append(a.again, o)
			a.repeats.Add(r.first, o.Verdict)
			if ctx.Err() != nil || a.repeats.Differ() {
				return
			}
		}
	}
}

// repeat is a source port that is asked again, with its first answer.
type repeat struct {
	first report.Verdict
	port  uint16
}

func (j *job) againTime() time.Duration {
	if quarter := time.Duration(j.plan.DeadlineSeconds) * time.Second / 4; quarter > 0 {
		return min(againTime, quarter)
	}
	return againTime
}

// fromPort returns the environment of a flow whose connections all have that source port.
func fromPort(env flow.Env, port uint16) *flow.Env {
	open := env.OpenFrom
	env.Open = func(ctx context.Context, remote netip.AddrPort, iss seq.Number) (*conn.Conn, error) {
		return open(ctx, port, remote, iss)
	}
	return &env
}

// portsOf returns the source ports of the flows with that verdict, in random order.
func portsOf(flows []flow.Outcome, v report.Verdict) (ports []uint16) {
	for _, f := range flows {
		if f.Verdict == v && f.Port != 0 {
			ports = append(ports, f.Port)
		}
	}
	rand.Shuffle(len(ports), func(i, k int) { ports[i], ports[k] = ports[k], ports[i] })
	return ports
}

// lengthsTried returns the lengths of the suspects of all flows with a verdict that sent one.
func (a *answer) lengthsTried() (all []verdict.LengthTried) {
	for _, flows := range [][]flow.Outcome{a.flows, a.again} {
		for _, f := range flows {
			if l, sent := lengthTried(f); sent && f.Verdict != report.Inconclusive {
				all = append(all, l)
			}
		}
	}
	return all
}

func lengthTried(f flow.Outcome) (l verdict.LengthTried, sent bool) {
	l.Failed = f.Verdict == report.Fail
	for _, r := range f.Records {
		if r.Part != evidence.Suspect || r.Sent == nil {
			continue
		}
		n := r.Sent.PayloadLen()
		if !sent {
			l.Least = n
		}
		l.Least, l.Most, sent = min(l.Least, n), max(l.Most, n), true
	}
	return l, sent
}
