package verdict

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// after are connections with this fate after so many seconds of silence each.
func after(fate IdleFate, seconds ...float64) (all []IdleConnection) {
	for _, s := range seconds {
		all = append(all, IdleConnection{Fate: fate, Idle: time.Duration(s * float64(time.Second))})
	}
	return all
}

// The complete messages of IdleTimeout, in the order of its rules.
func TestIdleTimeoutMessages(t *testing.T) { //nolint:funlen // one table of sentences
	hop := &conn.ReceivedReset{Traits: conn.Traits{HopLimit: 9}}
	hop.Peer.Add(64)
	for name, c := range map[string]struct {
		connections [][]IdleConnection
		change      func(*Idling)
		reason      report.Reason
		want        string
	}{
		"expired": {nil, func(o *Idling) { o.Expired = true }, report.DeadlineExceeded,
			"the run's deadline came before a verdict"},
		"reset on accept": {nil, func(o *Idling) { o.OnAccept = &OnAccept{Opened: 3} }, report.ResetOnAccept,
			"the application resets each connection that it accepts: on 0 of 3 nothing was sent after the handshake, " +
				"and an RST came within 0.0 ms that acknowledges no data; sent by the peer or something that looks like " +
				"it. No more is asked"},
		"not open": {nil, func(o *Idling) { o.Opening = conn.Opening{} }, report.PathDown,
			"no connection could be opened (no answer), so nothing is known about idle ones; see Handshake"},
		"closed at once": {nil, func(o *Idling) { o.Opened, o.AtOnce = 0, true }, report.PeerClosed,
			"the target closes connections at once, so there is no silence to ask about"},
		"one beside it": {nil, func(o *Idling) { o.Opened = 1 }, report.PathDown,
			"1 connections were established beside the first one, and 2 are needed: the target takes few at a time, and " +
				"closes or resets others; see Handshake"},
		"unanswered": {nil, func(o *Idling) { o.Unanswered = true }, report.NoProofOfLife,
			"the connection was established, and keep-alives (one old byte) are not answered even before any silence, " +
				"so idle connections cannot be asked: something on the way drops old data"},
		"control lost": {[][]IdleConnection{after(Held, 10, 20)}, func(o *Idling) { o.ControlLost = true },
			report.PathDown,
			"a connection that was not idle answers no more either, so this is no matter of silence; idle ones were " +
				"held for 20.0 s; see Handshake"},
		"age ends": {[][]IdleConnection{after(Held, 10), after(EndedByFIN, 30)}, func(o *Idling) {
			o.Control = after(EndedByFIN, 31)[0]
		}, report.PeerClosed,
			"connections are ended by a FIN 31.0 s after they were opened, and so is one that was not idle: the " +
				"application, or a proxy in front of it, waits no longer for a request. Idle ones were held for 10.0 s; " +
				"what the path does after more silence this target does not show"},
		"age ends by RST": {[][]IdleConnection{after(Held, 10), after(Silent, 30)}, func(o *Idling) {
			o.Control = IdleConnection{Fate: EndedByRST, Idle: 31 * time.Second, Reset: hop}
		}, report.PeerClosed,
			"connections are ended by an RST 31.0 s after they were opened, and so is one that was not idle; the RST's " +
				"hop limit (9) differs from the peer's (64): a device on the way sent it: the application, or a proxy in " +
				"front of it, waits no longer for a request. On 1 of the idle ones nothing of that came. Idle ones were held " +
				"for 10.0 s; what the path does after more silence this target does not show"},
		"mixed": {[][]IdleConnection{after(Held, 10, 30), after(ResetOnAsking, 20, 30)}, nil, report.NotIsolated,
			"2 of 4 connections did not survive 20.0 s of silence, others were held for up to 30.0 s, so silence alone " +
				"does not decide: paths, or devices beside each other, may differ"},
		"mixed, as long": {[][]IdleConnection{after(Held, 10, 20), after(ResetOnAsking, 20, 30)}, nil, report.NotIsolated,
			"2 of 4 connections did not survive 20.0 s of silence, others were held for up to 20.0 s, so silence alone " +
				"does not decide: paths, or devices beside each other, may differ"},
		"mixed, and nothing fresh": {[][]IdleConnection{after(Held, 10), after(ResetOnAsking, 20, 30)}, func(o *Idling) {
			o.Isolated = false
		}, report.NotIsolated,
			"2 of 3 connections did not survive 20.0 s of silence, others were held for up to 10.0 s, and no fresh " +
				"connection was established then: this is not shown to be a matter of silence"},
		"mixed, and a dead path": {[][]IdleConnection{after(Held, 10), after(Silent, 20, 30)}, func(o *Idling) {
			o.Blocks = confirmed
		}, report.NotIsolated,
			"2 of 3 connections did not survive 20.0 s of silence, others were held for up to 10.0 s, and no SYN on " +
				"their ports is answered either: their path may have ended, whatever the silence"},
		"mixed, and one dead path": {[][]IdleConnection{after(Held, 10), after(Silent, 20), after(EndedByFIN, 20)},
			func(o *Idling) { o.Blocks, o.Outlived = confirmed, true }, report.NotIsolated,
			"2 of 3 connections did not survive 20.0 s of silence, others were held for up to 10.0 s, and no SYN on " +
				"their ports is answered either: their path may have ended, whatever the silence"},
		"one": {[][]IdleConnection{after(Held, 10), after(ResetOnAsking, 20)}, nil, report.NotIsolated,
			"1 of 2 connections did not survive 20.0 s of silence, others were held for up to 10.0 s, which is too few " +
				"to blame silence"},
		"reset on asking": {[][]IdleConnection{after(Held, 10), after(ResetOnAsking, 30, 20)}, nil, report.IdleReset,
			"connections hold 10.0 s of silence, and after 20.0 s, without a FIN or RST before, the next segment draws " +
				"an RST (2 of 3), while one as old that was not idle is answered, and a fresh one was established. Sent by " +
				"the peer or something that looks like it. The target, or something on the way, does not know the " +
				"connection any more"},
		"reset on asking, others silent": {[][]IdleConnection{after(Held, 10), after(ResetOnAsking, 20),
			after(Silent, 30)}, func(o *Idling) { o.Blocks = confirmed }, report.IdleReset,
			"connections hold 10.0 s of silence, and after 20.0 s, without a FIN or RST before, the next segment draws " +
				"an RST (2 of 3), while one as old that was not idle is answered, and a fresh one was established. Sent by " +
				"the peer or something that looks like it. The target, or something on the way, does not know the " +
				"connection any more"},
		"ended by RST": {[][]IdleConnection{after(Held, 10), {{Fate: EndedByRST, Idle: 20 * time.Second, Reset: hop}},
			after(EndedByRST, 26)}, func(o *Idling) { o.Outlived = true }, report.IdleReset,
			"2 idle connections were ended by an RST after 20.0 s of silence, while one as old that was not idle is " +
				"answered, and a fresh one was established. The RST's hop limit (9) differs from the peer's (64): a device " +
				"on the way sent it: something on the way ends what is idle"},
		"ended, too far apart": {[][]IdleConnection{after(Held, 10), after(EndedByFIN, 20, 26.1)}, func(o *Idling) {
			o.Outlived, o.Blocks = true, confirmed
		}, report.PeerClosed,
			"2 of 3 idle connections were ended, the first by a FIN after 20.0 s of silence, the last after 26.1 s. It " +
				"is not shown that silence is the reason: an application that waits no longer for a request looks the " +
				"same. Sent by the peer or something that looks like it; idle ones were held for 10.0 s"},
		"ended, too far apart, and one silent": {[][]IdleConnection{after(Held, 10), after(EndedByFIN, 20, 26.1),
			after(Silent, 30)}, func(o *Idling) { o.Outlived, o.Blocks, o.Reopened = true, undecided, 1 }, report.PeerClosed,
			"2 of 4 idle connections were ended, the first by a FIN after 20.0 s of silence, the last after 26.1 s. It " +
				"is not shown that silence is the reason: an application that waits no longer for a request looks the " +
				"same. Sent by the peer or something that looks like it; idle ones were held for 10.0 s"},
		"ended, and one never asked": {[][]IdleConnection{after(Held, 10), after(EndedByFIN, 20, 20), after(NotAsked, 5)},
			func(o *Idling) { o.Outlived = true }, report.PeerClosed,
			"2 of 4 idle connections were ended, the first by a FIN after 20.0 s of silence, the last after 20.0 s. It " +
				"is not shown that silence is the reason: an application that waits no longer for a request looks the " +
				"same. Sent by the peer or something that looks like it; idle ones were held for 10.0 s"},
		"ended, and nothing outlived them": {[][]IdleConnection{after(Held, 10), after(EndedByFIN, 21, 20)}, nil,
			report.PeerClosed,
			"2 of 3 idle connections were ended, the first by a FIN after 20.0 s of silence, the last after 21.0 s. It " +
				"is not shown that silence is the reason: an application that waits no longer for a request looks the " +
				"same. Sent by the peer or something that looks like it; idle ones were held for 10.0 s"},
		"one ended": {[][]IdleConnection{after(Held, 10), after(EndedByRST, 20)}, nil, report.PeerClosed,
			"1 of 2 idle connections were ended, the first by an RST after 20.0 s of silence, the last after 20.0 s. " +
				"It is not shown that silence is the reason: an application that waits no longer for a request looks the " +
				"same. Sent by the peer or something that looks like it; idle ones were held for 10.0 s"},
		"dropped": {[][]IdleConnection{after(Held, 10), after(Silent, 20, 30)}, func(o *Idling) {
			o.Blocks, o.Reopened = confirmed, 1
		}, report.IdleDropped,
			"connections hold 10.0 s of silence, and after 20.0 s what they send vanishes, without a FIN or RST: 10 of " +
				"10 segments on 2 connections were lost, and 0 of 30 on one that was not idle, in random order (p = " +
				"1.2e-09), while one as old that was not idle is answered, and a fresh one was established. On 1 of their " +
				"ports a SYN was answered at once. Something on the way has forgotten them"},
		"dropped, and held by the target": {[][]IdleConnection{after(Held, 10), after(Silent, 20),
			after(ResetOnAsking, 30)}, func(o *Idling) { o.Blocks, o.Reopened, o.Holding = confirmed, 2, 1 }, report.IdleDropped,
			"connections hold 10.0 s of silence, and after 20.0 s what they send vanishes, without a FIN or RST: 10 of " +
				"10 segments on 1 connections were lost, and 0 of 30 on one that was not idle, in random order (p = " +
				"1.2e-09), while one as old that was not idle is answered, and a fresh one was established. On 2 of their " +
				"ports a SYN was answered at once, on 1 from the old connection, which the target has still. Something on " +
				"the way has forgotten them"},
		"kept alive": {[][]IdleConnection{after(Held, 10), {{Fate: Held, Idle: 15 * time.Second, KeptAlive: true}}}, nil,
			report.PeerKeepsAlive,
			"connections are held for 100.0 s in which this side sends nothing. The target does: no more than 15.0 s " +
				"passed without a segment, so what becomes of more silence is not known and does not matter to them"},
		"kept alive, and one ended": {[][]IdleConnection{{{Fate: Held, Idle: 15 * time.Second, KeptAlive: true}},
			after(NotAsked, 10)}, nil, report.PathLossy,
			"idle connections were held for 15.0 s. One that was silent for longer did not answer at once, but chance " +
				"is not excluded, or it answered later; too few for a confirmation"},
		"held": {[][]IdleConnection{after(Held, 10, 90)}, nil, report.IdleHeld,
			"connections hold 90.0 s without a segment in either direction (2 were asked, each after its own time); " +
				"longer silence was not tried"},
		"one held": {[][]IdleConnection{after(Held, 90)}, nil, report.IdleHeld,
			"connections hold 90.0 s without a segment in either direction (1 were asked, each after its own time); " +
				"longer silence was not tried"},
		"held, short": {[][]IdleConnection{after(Held, 10, 89.9)}, nil, report.PathLossy,
			"idle connections were held for 89.9 s. One that was silent for longer did not answer at once, but chance " +
				"is not excluded, or it answered later; too few for a confirmation"},
		"none": {nil, func(o *Idling) { o.Most = 0 }, report.PathLossy,
			"idle connections were held for 0.0 s. One that was silent for longer did not answer at once, but chance " +
				"is not excluded, or it answered later; too few for a confirmation"},
		"undecided": {[][]IdleConnection{after(Held, 10), after(Silent, 20)}, func(o *Idling) { o.Blocks = undecided },
			report.PathLossy,
			"idle connections were held for 10.0 s. One that was silent for longer did not answer at once, but chance " +
				"is not excluded, or it answered later; confirmation undecided: 10 suspects and 15 of 30 beacons lost (p = " +
				"3.9e-03, needed 5.0e-08)"},
	} {
		o := Idling{Observation: Observation{Opening: open, Isolated: true}, Most: 100 * time.Second, Opened: LeastIdle}
		for _, some := range c.connections {
			o.Connections = append(o.Connections, some...)
		}
		if c.change != nil {
			c.change(&o)
		}
		f := IdleTimeout(&o)
		if f.Message != c.want || f.Reason != c.reason || f.Tested != (c.reason == report.IdleDropped) {
			t.Errorf("%s: %s, tested %t: %s", name, f.Reason, f.Tested, f.Message)
		}
		decided := f.Verdict != report.Inconclusive || f.Reason == report.PeerClosed
		if o.Decided() != decided {
			t.Errorf("%s: decided %t", name, o.Decided())
		}
	}
}

// Two connections must suffer alike before silence is to blame.
func TestLeastIdle(t *testing.T) {
	if LeastIdle != 2 {
		t.Errorf("%d connections", LeastIdle)
	}
}
