package verdict

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// The complete messages. Each sentence depends on the observations.
func TestMessages(t *testing.T) { //nolint:funlen // one table of sentences
	router := &segment.Unreachable{From: netip.MustParseAddr("192.0.2.1"), Type: 3, Code: 13}
	push := Observation{Opening: open, Control: Count{Sent: 1}, What: "data with PSH", Sandwich: Count{7, 7}}
	with := func(o Observation, change func(*Observation)) *Observation { change(&o); return &o }
	for _, c := range []struct {
		judge func(*Observation) Finding
		seen  *Observation
		want  string
	}{
		{Handshake, &Observation{Fault: errors.New("no memory")}, "the prober could not do its work: no memory"},
		{Handshake, &Observation{Fault: ErrSpeaksFirst},
			"at this port, or with this preset, the peer speaks first, and many such servers lock out hosts that leave " +
				"without an answer: a run opens 30 connections at most, and this question needs more"},
		{Handshake, &Observation{Expired: true}, "the run's deadline came before a verdict"},
		{Handshake, &Observation{Proof: conn.Proof{Established: true}}, "the connection was established"},
		{Handshake, &Observation{Proof: conn.Proof{Established: true, Deferred: true}},
			"the connection was established (deferredAccept: the listener completes a handshake only with data)"},
		{Handshake, &Observation{Opening: conn.Opening{Answer: conn.ICMPError, Sent: 3, Unreachable: router}},
			"192.0.2.1 answered 3 SYNs with " + router.Meaning()},
		{Handshake, &Observation{Opening: conn.Opening{Answer: conn.ICMPError}, Ports: 2},
			"no answer to SYNs from 2 source ports (0 in a row, p = 1.0e+00 on a path that loses 40 % each way)"},
		{Handshake, &Observation{Opening: conn.Opening{Unreachable: router}, Ports: 2, Silence: ignored},
			"no answer to SYNs from 2 source ports (12 in a row, p = 2.8e-09 with the loss that this run saw elsewhere: " +
				"2 of 40)"},
		{Handshake, &Observation{Ports: 2, Silence: Silence{Segments: 30, Alpha: 1e-4}},
			"no answer to SYNs from 2 source ports (30 in a row, p = 1.5e-06 on a path that loses 40 % each way)"},
		{Handshake, &Observation{Ports: 2, Silence: maybeLoss},
			"no answer to SYNs, but the path's own loss is not excluded: 12 in a row, p = 1.1e-02 with the " +
				"loss that this run saw elsewhere: 20 of 40"},
		{Handshake, &Observation{Opening: open, Silence: maybeLoss},
			"no answer to data after the SYN-ACK, but the path's own loss is not excluded: 12 in a row, p = 1.1e-02 with the " +
				"loss that this run saw elsewhere: 20 of 40"},
		{Handshake, &Observation{Opening: conn.Opening{Answer: conn.NoNextHop, Unresolved: errors.New("192.0.2.9 on eth0")}},
			"nothing could be sent: 192.0.2.9 on eth0"},
		{Handshake, &Observation{Opening: conn.Opening{Answer: conn.WrongAck, Wrong: seq.At(77)}},
			"the answers to SYNs acknowledge what was not sent, the last one 77: something on the path rewrites or invents " +
				"segments"},
		{Handshake, &Observation{Opening: conn.Opening{Answer: conn.StaleAck}, Ports: 3},
			"on 3 source ports the peer answered from an older connection; it was reset, try again"},
		{Handshake, &Observation{Ports: 3, ResetAny: true, Silence: ignored},
			"SYNs from 3 source ports are ignored (12 in a row, p = 2.8e-09 with the loss that this run saw elsewhere: 2 of " +
				"40), an ACK to the same port is answered with RST: the listener's accept queue is full (an application that " +
				"has stalled), or a firewall drops SYNs only. `ss -lnt` on the target shows a full queue " +
				"(Recv-Q above Send-Q), and `nstat -az TcpExtListenOverflows` grows with each SYN"},
		{Handshake, &Observation{ResetAny: true, Reverse: confirmed[0]},
			"the port is closed, but its RST has sequence number 0 and is lost on the way back: " +
				"10 of 10 RSTs at 0 were lost, 0 of 30 at other numbers (p = 1.2e-09)"},

		{SequenceWrap, with(push, func(o *Observation) { o.Delivered = true }), "data with PSH at sequence 0 was answered"},
		{SequenceWrap, with(push, func(o *Observation) { o.Delivered, o.ByAck = true, true }), "data with PSH was answered"},
		{SequenceWrap, with(push, func(o *Observation) { o.Delivered, o.Across = true, true }), "data with PSH was answered"},
		{SequenceWrap, with(push, func(o *Observation) { o.Delivered, o.FirstLost = true, true }), "data with PSH at " +
			"sequence 0 was answered, but the first one was lost; it was not shown that others like it are lost more often " +
			"than controls"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.FirstLost, o.FirstLate = true, true, 31*time.Millisecond
		}), "data with PSH at sequence 0 was answered, the first one after 31 ms; it was not shown that others like it " +
			"come late"},
		{SequenceWrap, with(push, func(o *Observation) { o.Delivered, o.FirstLost, o.Cut = true, true, true }),
			"data with PSH at sequence 0 was answered, but only a part of the first one; it was not shown that others like it " +
				"are lost more often than controls"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.FirstLost, o.FirstLate = true, true, 31*time.Millisecond
			o.Repeats = Exchange{Copies: copiesOf([]float64{-1, -1, 0.3}, []float64{0.1, 0.2, 0.1, 0.1})}
		}), "data with PSH at sequence 0 was answered, the first one after 31 ms; repeats of it are lost, 2 of 3 against 0 " +
			"of 4 others (p = 1.4e-01), but the first of each fresh connection arrives: a real connection stalls if it has " +
			"to repeat there"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.FirstLost, o.FirstLate, o.FirstUnasked = true, true, 500*time.Millisecond, true
		}), "data with PSH at sequence 0 was answered"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.FirstLost, o.FirstLate, o.FirstUnasked = true, true, 1, true
		}), "data with PSH at sequence 0 was answered"},
		{SequenceWrap, with(push, func(o *Observation) { o.Delivered, o.FirstLost, o.FirstUnasked = true, true, true }),
			"data with PSH at sequence 0 was answered, but the first one was lost; it was not shown that others like it are " +
				"lost more often than controls"},
		{SequenceWrap, with(push, func(o *Observation) { o.Delivered, o.FirstLost, o.FirstLate = true, true, 1 }),
			"data with PSH at sequence 0 was answered, the first one after 0.0 ms; it was not shown that others like it " +
				"come late"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.FirstLost, o.FirstLate = true, true, 31*time.Millisecond
			o.Repeats = Exchange{Copies: copiesOf([]float64{-1}, nil)}
		}), "data with PSH at sequence 0 was answered, the first one after 31 ms; repeats of it are lost, 1 of 1 against 0 " +
			"of 0 others (p = 1.0e+00), but the first of each fresh connection arrives: a real connection stalls if it has " +
			"to repeat there"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.FirstLost, o.FirstLate, o.FirstUnasked = true, true, 501*time.Millisecond, true
		}), "data with PSH at sequence 0 was answered, the first one after 501 ms; it was not shown that others like it " +
			"come late"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.Exchange = true, Exchange{copiesOf([]float64{300, 299, 312}, []float64{0.1, 0.2, 9.94}), 0, 0.11}
		}), "data with PSH at sequence 0 arrives late: 300 ms (299 ms to 312 ms), in random order among others that took " +
			"0.2 ms (0.1 ms to 9.9 ms) (p = 1.0e-01); each real connection waits as long, or for a retransmission"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.Exchange = true, Exchange{copiesOf([]float64{-1, -1, 0.3}, []float64{0.1, 0.2, 0.1, 0.1}), 0, 0.15}
		}), "data with PSH at sequence 0 is lost more often than other segments, but not always: in one flow 2 of 3 " +
			"against 0 of 4 in random order, p = 1.4e-01"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.Exchange = true, Exchange{copiesOf([]float64{-1, -1, 0.3}, []float64{0.1, 0.2, 0.1, 0.1}), 0, 0.15}
			o.Cut = true
		}), "data with PSH at sequence 0 is lost more often than other segments, but not always: in one flow 2 of 3 " +
			"against 0 of 4 in random order, p = 1.4e-01; of the first a part arrived: something cuts them, and only what " +
			"comes whole counts as arrived"},
		{SequenceWrap, with(push, func(o *Observation) {
			lost := append(sized(true, true, 11, 3, 4, 5, 6, 7, 8, 9, 10), sized(false, false, 2, 3, 4, 5)...)
			o.Delivered, o.Sizes = true, SizeTest{Bound{Range{1, 12}, Range{60, 60}}, append(lost, sized(true, false,
				60, 60)...), 0.05}
		}), "data with PSH at sequence 0 is lost by its length: of 1 to 12 bytes 9 of 9 are lost, of 60 bytes 0 of 2; of " +
			"controls of the former lengths 0 of 4 (p = 1.8e-02). Of those of all lengths these were lost: 3, 4, 5, 6, …, 8, " +
			"9, 10, 11; these arrived: 60"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.Firsts = true, FirstTest{Copies: copiesOf([]float64{-1, -1, -1}, []float64{0.1, 0.1, 0.1}),
				Repeats: Count{17, 0}, InTime: time.Millisecond, Alpha: 0.05}
		}), "the first of data with PSH at sequence 0 is lost in each connection, repeats arrive: in 3 of 3 fresh " +
			"connections the first was lost, at other numbers in 0 of 3 (p = 5.0e-02); 17 of 17 repeats arrived. Each real " +
			"connection stalls for a retransmission timeout"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.Firsts = true, FirstTest{Copies: copiesOf([]float64{-1, -1, -1}, []float64{0.1, 0.1, 0.1}),
				Repeats: Count{9, 9}, InTime: time.Millisecond, Alpha: 0.05}
		}), "data with PSH at sequence 0 is lost more often than other segments, but not always: in 3 of 3 fresh " +
			"connections the first was lost, at other numbers in 0 of 3 (p = 5.0e-02), and of 9 repeats of the same length 9; " +
			"others of this flow arrived"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Delivered, o.Firsts = true, FirstTest{Copies: copiesOf([]float64{300, 301, 302}, []float64{0.1, 0.1, 0.1}),
				InTime: 50 * time.Millisecond, Alpha: 0.0501}
		}), "data with PSH at sequence 0 arrives late, in 3 of 3 fresh connections: 301 ms (300 ms to 302 ms); at " +
			"other numbers in 0 of 3, which took 0.1 ms (0.1 ms to 0.1 ms) (p = 5.0e-02)"},
		{SequenceWrap, &Observation{What: "data with PSH"},
			"no connection could be opened (no answer), so nothing is known about data with PSH at sequence 0; see Handshake"},
		{SequenceWrap, with(push, func(o *Observation) { o.Control = Count{6, 6} }),
			"all 6 control segments, the same as the suspect but at another sequence number, went unanswered: " +
				"this is no matter of sequence 0"},
		{SequenceWrap, with(push, func(o *Observation) { o.Unproven = Count{1, 1} }),
			"data with PSH at sequence 0 went unanswered, and so did all 1 segments that every peer answers, old bytes and " +
				"new ones beyond it, though the control before it was acknowledged: nothing shows whether the path lives"},
		{SequenceWrap, with(push, func(o *Observation) { o.Stuck = true }),
			"data with PSH at sequence 0 went unanswered, and the RSTs that end a connection at its own number are not " +
				"taken either, which is no matter of the number 0"},
		{SequenceWrap, with(push, func(o *Observation) { o.OtherNumbers = Count{16, 16} }),
			"data with PSH at sequence 0 went unanswered, and so did 16 like it at other numbers: " +
				"something on the path or the peer drops them all, which is no matter of the number 0"},
		{SequenceWrap, with(push, func(o *Observation) { o.Blocks, o.Isolated = confirmed, true }),
			"data with PSH at sequence 0 is lost: 7 of 7 between answered segments, then 10 of 10 among 30 others (0 " +
				"lost), p = 1.2e-09; at another number it arrives" + alikeUnknown},
		{SequenceWrap, with(push, func(o *Observation) { o.Blocks, o.Isolated, o.Witnessed = confirmed, true, true }),
			"data with PSH at sequence 0 is lost: 7 of 7 between answered segments, then 10 of 10 among 30 others (0 " +
				"lost), p = 1.2e-09; the peer's SACK names it missing; one number earlier it arrives" + alikeUnknown},
		{SequenceWrap, with(push, func(o *Observation) { o.Blocks, o.Isolated, o.Ahead = confirmed, true, true }),
			"data with PSH at sequence 0 is lost: 7 of 7 between answered segments, then 10 of 10 among 30 others (0 " +
				"lost), p = 1.2e-09; at another number it arrives; old bytes get no answer here, so the others are new ones " +
				"beyond it" + alikeUnknown},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Blocks, o.Isolated, o.Resets = confirmed, true, ResetTest{Zero: Count{5, 3}, Others: Count{5, 0}}
		}), "data with PSH at sequence 0 draws an RST, 3 of 5; at other numbers 0 of 5 do, and 30 of 30 are answered as " +
			"they should be (p = 1.2e-09): sent by the peer or something that looks like it"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Blocks, o.Isolated = []Confirmation{{Block: Block{10, 30}, BeaconsLost: 1, Alpha: 1e-6}}, true
			o.Resets = ResetTest{Zero: Count{5, 5}, Others: Count{5, 0}}
		}), "data with PSH at sequence 0 draws an RST, 5 of 5; at other numbers 0 of 5 do, and 29 of 30 are answered as " +
			"they should be (p = 1.3e-08): sent by the peer or something that looks like it"},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Blocks, o.Isolated, o.Resets = confirmed, true, ResetTest{Zero: Count{4, 2}, Others: Count{5, 0}}
		}), "data with PSH at sequence 0 is lost: 7 of 7 between answered segments, then 10 of 10 among 30 others (0 " +
			"lost), p = 1.2e-09; at another number it arrives" + alikeUnknown},
		{SequenceWrap, with(push, func(o *Observation) {
			o.Blocks, o.Isolated, o.Resets = confirmed, true, ResetTest{Zero: Count{5, 3}, Others: Count{5, 1}}
		}), "data with PSH at sequence 0 is lost: 7 of 7 between answered segments, then 10 of 10 among 30 others (0 " +
			"lost), p = 1.2e-09; at another number it arrives" + alikeUnknown},
		{SequenceWrap, with(push, func(o *Observation) { o.Blocks, o.Isolated, o.ByAck = confirmed, true, true }),
			"data with PSH is lost: 7 of 7 between answered segments, then 10 of 10 among 30 others (0 lost), " +
				"p = 1.2e-09, or the RST at sequence 0 that it draws, though one with ACK comes back; " +
				"of another number it is answered" + alikeUnknown},
		{SequenceWrap, with(push, func(o *Observation) { o.Blocks = undecided }),
			"data with PSH at sequence 0 was not answered, but chance is not excluded: " +
				"7 of 7 suspects between answered segments lost, confirmation undecided: 10 suspects and 15 of 30 beacons lost " +
				"(p = 3.9e-03, needed 5.0e-08)"},
		{SequenceWrap, &push,
			"data with PSH at sequence 0 was not answered, but chance is not excluded: " +
				"7 of 7 suspects between answered segments lost, too few for a confirmation"},
		{SequenceWrap, with(push, func(o *Observation) { o.AckZero = Incarnations{Made: 9, P: 4e-8, Alpha: 5e-8} }),
			"answers that acknowledge exactly 0 are lost on the way back: in each of 9 connections it was that one, " +
				"at a random place among others (p = 4.0e-08)" + alikeUnknown},

		{HandshakeAck, &Observation{Opening: open, What: "the final ACK", Isolated: true, Control: Count{6, 5}},
			"the final ACK at sequence 0 was sent 6 times and the connection stayed half-open, " +
				"elsewhere it is established at once; the first data completes the handshake all the same, " +
				"so this is only a note"},
		{HandshakeAck, &Observation{Opening: open, What: "the final ACK"},
			"whether the final ACK at sequence 0 arrives cannot be seen: the peer names no duplicates, " +
				"defers its accept until data comes, or its queue is full"},

		{ClosedPort, &Observation{Opening: open, What: "an RST"},
			"an RST at sequence 0 is asked about at a closed port, and all that were tried are open"},
		{ClosedPort, &Observation{What: "an RST"},
			"an RST at sequence 0 is asked about at a closed port, and none refuses a SYN (no answer): " +
				"a firewall hides them, or RSTs at sequence 0 are lost on the way back (variant AckZero tells)"},
		{ClosedPort, &Observation{Opening: conn.Opening{Answer: conn.ResetAnswer}, What: "an RST"},
			"an RST at sequence 0 was not answered, but chance is not excluded: 0 of 0 suspects between answered segments " +
				"lost, too few for a confirmation"},
	} {
		if got := c.judge(c.seen).Message; got != c.want {
			t.Errorf("%+v:\n%s, want\n%s", c.seen, got, c.want)
		}
	}
}

// alikeUnknown ends messages about 0 where numbers like it were not asked.
const alikeUnknown = "; whether numbers like 0 are lost too is not known"

// The message about the guard says what may have happened, and where to look: at other programs, at the host or at what
// the target sends.
func TestGuardMessages(t *testing.T) {
	const (
		interfered = "the local kernel may have interfered"
		unread     = "not all that arrived was read"
		programs   = "look for other tc programs on the device (tc filter show, bpftool net)"
		busy       = "this host was too busy to read them all, or the target sends more than is read; " +
			"look at what it sends (tcpdump), or ask for fewer packets a second"
	)
	for check, says := range map[conn.SelfCheck][2]string{
		{Seen: 3, Stolen: 2}:                                    {interfered, programs},
		{Seen: 2, Stolen: 2, ResetsDropped: 1}:                  {interfered, programs},
		{Seen: 2, Stolen: 2, Overflow: 1}:                       {unread, busy},
		{Overflow: 1}:                                           {unread, busy},
		{Seen: 2, Stolen: 3}:                                    {unread, busy},
		{Seen: 3, Stolen: 2, Overflow: 1}:                       {interfered, busy},
		{Seen: 2, Stolen: 3, KernelResets: 1}:                   {interfered, busy},
		{Seen: 2, Stolen: 3, ResetsDropped: 1, KernelResets: 1}: {interfered, busy},
		{Seen: 2, Stolen: 2, Overflow: 1, ResetsDropped: 1}:     {interfered, busy},
	} {
		f := Handshake(&Observation{Guard: check})
		want := says[0] + ", so nothing is concluded: " + check.String() + "; " + says[1]
		if f.Message != want || f.Reason != report.GuardIncomplete {
			t.Errorf("%s: %s, want %s", f.Reason, f.Message, want)
		}
	}
	want := "3 answers came in by another device than the one that the SYN left by, where the prober has no guard"
	if f := Handshake(&Observation{Guard: conn.SelfCheck{OtherDevice: 3}}); f.Message != want {
		t.Errorf("%s, want %s", f.Message, want)
	}
	want = "3 answers came in by device c1, where it is dropped. The SYN left by another device. Connections of " +
		"this host fail in the same way: route them and their answers by one device, or let the kernel take these"
	if f := RejectedReturn(3, "device c1, where it is dropped"); f.Message != want || f.Reason != report.AsymmetricReturn {
		t.Errorf("%s: %s, want %s", f.Reason, f.Message, want)
	}
}

// A server that takes no more is told from a port where nothing listened.
func TestListenerGoneMessage(t *testing.T) {
	const want = "the port held connections of this run (7) and refuses all since: its server takes no more, as one " +
		"that accepts once, or it has ended. Start it again for each scenario, better so that it accepts in a loop"
	if f := ListenerGone(7); f.Message != want || f.Reason != report.ListenerGone || f.Verdict != report.Inconclusive {
		t.Errorf("%+v", f)
	}
}

func TestAcceptQueueMessages(t *testing.T) {
	undecidedRounds := OverflowTest{Alpha: 1e-7, Rounds: []Round{{Block{2, 24}, 3}, {Block{2, 25}, 1}}}
	for _, c := range []struct {
		seen Filling
		want string
	}{
		{Filling{Cap: 10, Least: 10}, "all 10 connections were established: no queue overflows before that"},
		{Filling{Cap: 10, Least: 10, SkippedPorts: 1},
			"all 10 connections were established: no queue overflows before that; 1 further source ports were given up, " +
				"since nothing answered there while others were answered"},
		{Filling{Cap: 10, Least: 6, First: ResetIt, SYNRefused: true, UnderWay: ResetIt, Refusals: 3, BeaconsAnswered: 1},
			"6 connections get a place, and no more; the next is reset, a handshake that was under way is reset (on Linux: " +
				"tcp_abort_on_overflow). The run ended before it could be seen whether a fresh connection is established " +
				"now: only the application's accept() frees the queue's slots. Shown by: 3 times in a row, while the " +
				"established connections answer"},
		{Filling{Cap: 10, Least: 6, First: IgnoredSyn, UnderWay: IgnoredAck, InProgress: full, Test: full, Asked: true},
			"6 connections get a place, and no more; the SYN of the next gets no answer, " +
				"a handshake that was under way comes to nothing. After all connections were reset a fresh " +
				"one still was not established: closing does not free the queue's slots, only the application's accept() does, " +
				"and it stays full until then. Shown by: 16 of 16 attempts from 16 source ports were silent, " +
				"among 24 beacons on established connections (0 lost), p = 1.6e-11"},
		{Filling{Cap: 10},
			"no connection could be opened (no answer), so nothing is known about the queue; " +
				"a queue that is full already looks like this too; see Handshake"},
		{Filling{Cap: 10, Observation: Observation{Opening: conn.Opening{Answer: conn.ResetAnswer}}},
			"no connection could be opened (refused), so nothing is known about the queue; see Handshake"},
		{Filling{Cap: 10, Observation: Observation{Opening: open}},
			"SYN-ACKs came, but not one connection was established, so nothing is known about the queue: " +
				"it may be full already; see Handshake"},
		{Filling{Cap: 10, Least: 1, Observation: Observation{Opening: conn.Opening{Answer: conn.ICMPError}}},
			"after 1 connections no further one could be opened (ICMP error)"},
		{Filling{Cap: 10, Least: 1},
			"after 1 connections one went unanswered, but chance is not excluded: it could not be asked for again often " +
				"enough"},
		{Filling{Cap: 10, Least: 1, Observation: Observation{Opening: open}},
			"after 1 connections one went unanswered, but chance is not excluded: it could not be asked for again often enough"},
		{Filling{Cap: 10, Least: 6, Test: undecidedRounds},
			"after 6 connections one went unanswered, but chance is not excluded: 4 of 4 attempts from 2 source ports were " +
				"silent, among 49 beacons on established connections (4 lost), p = 2.6e-04"},
		{Filling{Cap: 10, Least: 6, Test: OverflowTest{Alpha: 1e-7, Rounds: []Round{{Block{0, 24}, 20}}}},
			"after 6 connections one went unanswered, but chance is not excluded: no source port was left that had been " +
				"answered before"},
		{Filling{Cap: 10, Least: 6, Observation: Observation{PeerReset: true}},
			"the peer resets connections by itself (6 were established), so an overflow could not be told from that"},
	} {
		if got := AcceptQueue(&c.seen).Message; got != c.want {
			t.Errorf("%+v:\n%s, want\n%s", c.seen, got, c.want)
		}
	}
}

func TestClosingMessages(t *testing.T) {
	seen := Observation{Opening: open}
	lost := FinAnswers{FinSilent: 1, FinVoid: 2, FinUnheard: 1, FinLate: 2, FinRepeated: 1, FinIgnored: 1}
	for _, c := range []struct {
		seen Closing
		want string
	}{
		{Closing{Observation: seen, NotClosed: true},
			"the peer did not close within ten seconds of the trigger, and nothing came: choose another trigger"},
		{Closing{Observation: seen, NotClosed: true, Received: 1},
			"the peer did not close within ten seconds of the trigger, and after 1 bytes no more came: choose another " +
				"trigger; or, if the answer should be longer, long segments may be lost on the way back: ask PathMTU"},
		{Closing{Observation: seen, NotClosed: true, Received: 190, Gap: true},
			"the peer did not close within ten seconds of the trigger, as far as is seen: after 190 bytes some are missing " +
				"that never came, while later ones did, so its FIN is out of reach; long segments may be lost on the way back: " +
				"ask PathMTU"},
		{Closing{Observation: seen, NotClosed: true, TooLong: true},
			"the peer answered the trigger with more than a megabyte without closing: name a smaller resource"},
		{Closing{Observation: seen, Control: FinAccepted, Overtaken: FinAnswers{FinReset: 5}, Again: Count{6, 0},
			ResetByAck: 4},
			"the peer accepts a FIN in order, on 6 of 6 connections between these, but resets once an ACK has overtaken it, " +
				"on 5 of 5: 4 times on the ACK, before the FIN came; such a close ends in an error instead of a stall; sent by " +
				"the peer or something that looks like it. gVisor's stack does so after close(), and no kernel of Linux is " +
				"known to"},
		{Closing{Observation: seen, Control: FinAccepted, Overtaken: lost},
			"too much was lost to judge: of the connections with an overtaken FIN 0 accepted it, " +
				"1 ignored it, 0 were reset and 7 showed nothing"},
	} {
		if got := FinReorder(&c.seen).Message; got != c.want {
			t.Errorf("%s, want\n%s", got, c.want)
		}
	}
}
