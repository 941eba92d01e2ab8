package run

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/seq"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
)

// againTime bounds how long the ports of one check are asked again. At most a third of the run's time is used.
const againTime = 30 * time.Second

// askAgain asks some source ports once more if some flows of a check failed and others passed. If the path decides,
// each port gives the same answer again. It ends with the first port that does not.
func (j *job) askAgain(ctx context.Context, ask flow.Func, env flow.Env, turns turns, a *answer) {
	failed, passed := portsOf(a.flows, report.Fail), portsOf(a.flows, report.Pass)
	if !a.perPath || a.finding != nil || env.OpenFrom == nil || len(failed) == 0 || len(passed) == 0 {
		return
	}
	if found, _ := verdict.Combine(findingsOf(a.flows)); notOfPaths[found.Reason] {
		return
	}
	env.Firsts = verdict.NewFirsts(j.alpha) // what is asked again is no further sample
	ctx, stop := context.WithTimeout(ctx, j.againTime())
	defer stop()
	ports := append(repeatsOf(report.Fail, failed, verdict.FailedAgain(len(failed))),
		repeatsOf(report.Pass, passed, verdict.PassedAgain)...)
	rand.Shuffle(len(ports), func(k, l int) { ports[k], ports[l] = ports[l], ports[k] })
	var mu sync.Mutex
	again := func(r repeat) (all []flow.Outcome) {
		for range r.times {
			if ctx.Err() != nil {
				break
			}
			o := ask(ctx, fromPort(env, r.port))
			all = append(all, o)
			mu.Lock()
			if ctx.Err() == nil {
				a.repeats.Add(r.first, o.Verdict)
			}
			if a.repeats.Differ() {
				stop()
			}
			mu.Unlock()
		}
		return all
	}
	a.again = slices.Concat(parallel(len(ports), turns, func(i int) []flow.Outcome { return again(ports[i]) })...)
}

// repeat is a source port that is asked again, one time after the other, with its first answer.
type repeat struct {
	first report.Verdict
	port  uint16
	times int
}

// repeatsOf divides so many repetitions among the ports.
func repeatsOf(first report.Verdict, ports []uint16, n int) (all []repeat) {
	for i, port := range ports[:min(len(ports), n)] {
		times := n / min(len(ports), n)
		if i < n%min(len(ports), n) {
			times++
		}
		all = append(all, repeat{first, port, times})
	}
	return all
}

func (j *job) againTime() time.Duration {
	if third := time.Duration(j.plan.DeadlineSeconds) * time.Second / 3; third > 0 {
		return min(againTime, third)
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
