package idletimeout

import (
	"cmp"
	"context"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/scenario/flow"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/verdict"
	"github.com/tcpprobe/tcpprobe/probe/wire"
)

// member is one of the connections, with a state of its own: several are opened and ended at the same time.
type member struct {
	*conn.Conn
	state    *flow.State
	time     time.Duration // how long it is to be silent
	opened   time.Time     // when it was established, and had answered a keep-alive
	begun    time.Time     // when its silence began
	last     time.Time     // when the last segment came or went
	longest  time.Duration // the longest time without one
	asked    time.Time     // when it was asked first after its silence; zero: it was not yet
	answered bool          // since it was asked last
	fate     verdict.IdleFate
	idle     time.Duration       // how long it was silent then
	endedAt  time.Time           // when it was ended, by the peer or another
	ended    bool                // by this side
	received *conn.ReceivedReset // before its ports were opened anew
}

// settling is how long what the peer sends after the opening, as a greeting, only shifts the silence's begin.
const settling = 2 * time.Second

// begin starts the silence.
func (m *member) begin() {
	m.opened = time.Now()
	m.begun, m.last, m.longest, m.asked = m.opened, m.opened, 0, time.Time{}
}

// observe notes what a packet shows of the connection's fate.
func (m *member) observe(p wire.Packet) {
	if p.Segment == nil {
		return
	}
	if p.Time.Sub(m.opened) < min(settling, m.time/2) && m.asked.IsZero() {
		m.begun = p.Time
	}
	idle := max(p.Time.Sub(m.last), 0)
	m.last, m.longest = p.Time, max(m.longest, idle)
	bare, _ := m.Answers(p)
	m.answered = m.answered || bare
	if m.fate != verdict.NotAsked || !m.Reset() && !m.Closed() {
		return
	}
	m.endedAt = p.Time
	switch {
	case !m.asked.IsZero() && !p.Time.Before(m.asked):
		if m.fate = verdict.EndedByFIN; m.Reset() {
			m.fate = verdict.ResetOnAsking
		}
	case m.Reset():
		m.fate, m.idle = verdict.EndedByRST, idle
	default:
		m.fate, m.idle = verdict.EndedByFIN, idle
	}
}

// gone reports whether the connection was ended by the peer or another.
func (m *member) gone() bool { return m.Reset() || m.Closed() }

// due is when its time is over, whatever the peer sends later than settling.
func (m *member) due() time.Time { return m.begun.Add(m.time) }

// question sends one old byte, as a keep-alive. The peer answers it at once, and its application does not see it.
func (m *member) question(part evidence.Part) time.Time {
	at := m.SendNext().Add(-1)
	if m.asked.IsZero() {
		m.asked = time.Now()
		m.idle = m.asked.Sub(m.last)
		m.longest = max(m.longest, m.idle)
	}
	m.answered = false
	return m.Send(conn.Step{Part: part, Flags: segment.ACK, Seq: &at, Payload: []byte{0}})
}

// tries is how often a connection is asked before it counts as silent for now. Nothing is concluded from it.
const tries = 6

// asks sends questions until one is answered, and counts them.
func (m *member) asks(ctx context.Context, part evidence.Part, times int) (answered bool, n verdict.Count) {
	for i := 0; i < times && !m.gone() && m.Fault() == nil && m.state.Env.Pace(ctx, 1) == nil; i++ {
		n.Sent++
		if m.await(ctx, m.question(part), i) {
			return true, n
		}
		n.Lost++
	}
	return false, n
}

// await waits for the answer to a question, and reports whether it came.
func (m *member) await(ctx context.Context, sent time.Time, repetition int) bool {
	m.Await(ctx, sent.Add(m.AnswerTimeout(repetition)), func(wire.Packet) bool { return m.answered || m.gone() })
	return m.answered
}

// attend processes what arrived, and acknowledges what is due.
func (m *member) attend(ctx context.Context) {
	m.Await(ctx, time.Now().Add(time.Millisecond), func(wire.Packet) bool { return false })
}

func (m *member) end(ctx context.Context) {
	if !m.ended {
		m.ended, m.Observer = true, nil
		m.state.End(ctx, m.Conn)
	}
}

// result is what the verdict gets.
func (m *member) result() verdict.IdleConnection {
	c := verdict.IdleConnection{Fate: m.fate, Idle: m.idle, Reset: cmp.Or(m.received, m.ReceivedReset())}
	c.KeptAlive = m.fate == verdict.Held && m.idle < m.asked.Sub(m.begun)*9/10 // it may be asked before its time
	if c.KeptAlive {
		c.Idle = m.longest
	}
	return c
}
