package verdict

import (
	"context"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/conn"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// The test is made once, and is known only if each connection was reset.
func TestAcceptingIsAskedOnce(t *testing.T) {
	r := &conn.ReceivedReset{BeforeData: true}
	for _, c := range []struct {
		found OnAccept
		calls int
		known bool
	}{
		{OnAccept{}, 2, false},
		{OnAccept{Opened: 1}, 1, false},
		{OnAccept{Opened: 2, Received: []*conn.ReceivedReset{r, r}}, 1, false},
		{OnAccept{Opened: 4, Received: []*conn.ReceivedReset{r, r, r}}, 1, false},
		{OnAccept{Opened: 3, Received: []*conn.ReceivedReset{r, r, r}}, 1, true},
	} {
		a, calls := NewAccepting(), 0
		for range 2 {
			got := a.Ask(context.Background(), func() OnAccept { calls++; return c.found })
			if (got != nil) != c.known || (a.Known() != nil) != c.known {
				t.Errorf("%+v: %+v", c.found, got)
			}
			if got != nil && got.Opened != c.found.Opened {
				t.Errorf("%+v is known as %+v", c.found, got)
			}
		}
		if calls != c.calls {
			t.Errorf("%+v: asked %d times", c.found, calls)
		}
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	busy := NewAccepting()
	busy.Ask(context.Background(), func() OnAccept {
		for range 64 { // if the turn were free, every second call would get it
			if busy.Ask(over, nil) != nil {
				t.Error("known while another flow asks, after the run's end")
			}
		}
		return OnAccept{}
	})
	var none *Accepting
	if none.Known() != nil || none.Ask(context.Background(), nil) != nil {
		t.Error("without a record something is known")
	}
}

// What is shown otherwise stays: a delivery, and a loss that was confirmed.
func TestResetOnAcceptIsFoundInEachScenario(t *testing.T) {
	o := Observation{OnAccept: &OnAccept{Opened: 3, Received: make([]*conn.ReceivedReset, 0)}}
	for name, f := range map[string]Finding{
		"Handshake": Handshake(&o), "SequenceWrap": SequenceWrap(&o), "HandshakeAck": HandshakeAck(&o),
		"PeerPush": PeerPush(&o), "FinReorder": FinReorder(&Closing{Observation: o}),
	} {
		if f.Verdict != report.Inconclusive || f.Reason != report.ResetOnAccept {
			t.Errorf("%s: %s / %s", name, f.Verdict, f.Reason)
		}
	}
	o.Delivered = true
	if f := SequenceWrap(&o); f.Reason != report.Delivered {
		t.Errorf("delivered: %s", f.Reason)
	}
}
