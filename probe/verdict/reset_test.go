package verdict

import (
	"testing"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/evidence"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// rst is an RST with hop limit 64 and a window of 10, from a peer whose segments have hop limit 64.
func rst(change func(*conn.ReceivedReset)) *conn.ReceivedReset {
	r := &conn.ReceivedReset{Traits: conn.Traits{HopLimit: 64, Window: 10, ID: 7, Options: 12}}
	r.Peer.Add(64)
	change(r)
	return r
}

// Who sent RSTs is said as far as they show it.
func TestSender(t *testing.T) {
	plain := rst(func(*conn.ReceivedReset) {})
	foreign := rst(func(r *conn.ReceivedReset) { r.HopLimit = 9; r.Peer.Add(128) })
	held := rst(func(r *conn.ReceivedReset) { r.Held = true })
	own := func(traits conn.Traits) *conn.ReceivedReset {
		return rst(func(r *conn.ReceivedReset) { r.Own = &traits })
	}
	const peer = "sent by the peer or something that looks like it"
	for want, all := range map[string][]*conn.ReceivedReset{
		peer: {plain, own(conn.Traits{Window: 10, ID: 1, Options: 12})},
		peer + " (its window differs from an RST that is the peer's own, which proves nothing)": {
			plain, own(conn.Traits{Window: 10, ID: 9, Options: 12}), own(conn.Traits{Window: 11, ID: 7, Options: 12})},
		peer + " (its window and bytes of options and IP ID differ from an RST that is the peer's own, which proves " +
			"nothing)": {own(conn.Traits{})},
		"the RST's hop limit (9) differs from the peer's (64, 128): a device on the way sent it": {plain, foreign},
		"the RST's hop limit (9) differs from the peer's (64, 128) and the peer held 1 of 2 of these connections still: " +
			"a device on the way sent it": {held, foreign},
		"the peer held 2 of 3 of these connections still: a device on the way sent it, with the peer's hop limit": {
			held, plain, held},
	} {
		if got := Sender(all); got != want {
			t.Errorf("%s; want\n%s", got, want)
		}
	}
}

// A segment at 0 draws an RST beyond chance; or something ends the connection, and it is said what is known about it.
func TestResetMessages(t *testing.T) { //nolint:funlen // one table of sentences
	soon, later := rst(func(r *conn.ReceivedReset) { r.After = 2 * time.Millisecond }),
		rst(func(r *conn.ReceivedReset) { r.After = 9 * time.Millisecond })
	foreign := rst(func(r *conn.ReceivedReset) { r.Held = true })
	shown := ResetTest{Zero: Count{8, 8}, Others: Count{8, 0}, Received: []*conn.ReceivedReset{soon, later, soon},
		Alpha: 1e-3, Done: true}
	chance := shown
	chance.Zero.Lost, chance.Others.Lost = 4, 3
	for name, c := range map[string]struct {
		change func(*Observation)
		reason report.Reason
		want   string
	}{
		"at 0": {func(o *Observation) { o.Resets, o.Delivered = shown, true }, report.ResetAtZero,
			"data with PSH at sequence 0 draws an RST, in 8 of 8 fresh connections in random order, at other numbers " +
				"in 0 of 8 (p = 7.8e-05), within 9.0 ms: sent by the peer or something that looks like it"},
		"at 0, not the whole block": {func(o *Observation) { o.Resets, o.PeerReset, o.Resets.Done = shown, true, false },
			report.PeerReset,
			"the application closes the connection when it gets unfinished requests, with both payloads; set a payload " +
				"that it waits on"},
		"perhaps by chance": {func(o *Observation) { o.Resets, o.PeerReset, o.Reset = chance, true, foreign },
			report.PeerReset,
			"an RST ended the connection (at 0 4 of 8, at other numbers 3 of 8: chance is not excluded); the peer held " +
				"1 of 1 of these connections still: a device on the way sent it, with the peer's hop limit"},
		"perhaps by chance, one of each": {func(o *Observation) {
			o.Resets, o.PeerReset, o.Reset = ResetTest{Zero: Count{1, 1}, Others: Count{1, 0}}, true, foreign
		}, report.PeerReset,
			"an RST ended the connection (at 0 1 of 1, at other numbers 0 of 1: chance is not excluded); the peer held " +
				"1 of 1 of these connections still: a device on the way sent it, with the peer's hop limit"},
		"elsewhere too": {func(o *Observation) { o.Resets.Elsewhere, o.PeerReset, o.Reset = true, true, foreign },
			report.PeerReset,
			"an RST ended the connection after a segment at 0, and another one after the same at another number; the " +
				"peer held 1 of 1 of these connections still: a device on the way sent it, with the peer's hop limit"},
		"at 0, not tested": {func(o *Observation) {
			o.PeerReset, o.Reset = true, foreign
			o.Reset.On = evidence.Suspect
		}, report.PeerReset,
			"an RST ended the connection after a segment at 0; the peer held 1 of 1 of these connections still: a " +
				"device on the way sent it, with the peer's hop limit"},
		"not at 0": {func(o *Observation) {
			o.PeerReset, o.Reset = true, rst(func(r *conn.ReceivedReset) { r.Held = true })
		}, report.PeerReset,
			"an RST ended the connection, not after a segment at 0; the peer held 1 of 1 of these connections still: a " +
				"device on the way sent it, with the peer's hop limit"},
		"without data": {func(o *Observation) { o.PeerReset, o.NoData, o.Reset = true, true, soon }, report.PeerReset,
			"the connection is reset although no data was sent: the application closes what it accepts, or a device " +
				"resets it"},
		"with data": {func(o *Observation) { o.PeerReset, o.Reset = true, soon }, report.PeerReset,
			"the application closes the connection when it gets unfinished requests, with both payloads; set a payload " +
				"that it waits on"},
		"by FIN": {func(o *Observation) { o.PeerReset = true }, report.PeerReset,
			"the application closes the connection when it gets unfinished requests, with both payloads; set a payload " +
				"that it waits on"},
	} {
		o := Observation{Opening: open, What: "data with PSH"}
		c.change(&o)
		f := SequenceWrap(&o)
		if f.Message != c.want || f.Reason != c.reason || f.Tested != (c.reason == report.ResetAtZero) ||
			(f.Verdict == report.Fail) != f.Tested {
			t.Errorf("%s: %s: %s", name, f.Reason, f.Message)
		}
	}
}

// The test ends early where it can no longer exclude chance.
func TestResetTestIsHopeless(t *testing.T) {
	for _, c := range []struct {
		zero, others Count
		hopeless     bool
		p            float64
	}{
		{Count{}, Count{}, false, 1},
		{Count{8, 8}, Count{8, 1}, false, 0.0006},
		{Count{8, 8}, Count{8, 2}, true, 0.0035},
		{Count{8, 7}, Count{8, 0}, false, 0.0007},
		{Count{8, 6}, Count{8, 0}, true, 0.0035},
		{Count{8, 0}, Count{8, 0}, true, 1},
	} {
		test := ResetTest{Zero: c.zero, Others: c.others}
		if p := test.P(); test.Hopeless() != c.hopeless || p < c.p-0.0001 || p > c.p+0.0001 {
			t.Errorf("%+v: hopeless %t, p = %g", c, test.Hopeless(), p)
		}
	}
	exact := ResetTest{Zero: Count{1, 1}, Others: Count{1, 0}, Done: true, Alpha: 0.5}
	if exact.Alpha = exact.P(); !exact.Significant() {
		t.Error("a p-value that is the alpha is not significant")
	}
	if exact.Alpha /= 2; exact.Significant() {
		t.Error("a p-value above the alpha is significant")
	}
}
