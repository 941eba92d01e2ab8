package verdict

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/conn"
)

// IdleFate is what became of a connection that was silent. The evidence of the highest is kept.
type IdleFate int

// Fates of connections.
const (
	NotAsked      IdleFate = iota // not known yet, or its silence ended otherwise
	Held                          // it answered a keep-alive
	Silent                        // it answered none
	ResetOnAsking                 // a keep-alive drew an RST
	EndedByFIN                    // a FIN came while it was silent
	EndedByRST                    // an RST came while it was silent
)

// IdleConnection is a connection that was silent.
type IdleConnection struct {
	Fate      IdleFate
	Idle      time.Duration // how long no segment had come or gone when its fate was known, or when it was asked
	KeptAlive bool          // segments of the peer came meanwhile
	Reset     *conn.ReceivedReset
}

// Idling is what a flow of IdleTimeout observed.
type Idling struct {
	Observation
	Most        time.Duration // the longest silence that was to be asked about
	Connections []IdleConnection
	Opened      int            // idle connections that were established
	AtOnce      bool           // the peer closed the first one before any silence
	Unanswered  bool           // keep-alives were not answered even before any silence
	Control     IdleConnection // Idle: its age when it was ended
	ControlLost bool           // the one that was asked all along answers no more
	Outlived    bool           // it answered well after the others had been ended
	Reopened    int            // on so many ports of silent ones a SYN was answered
	Holding     int            // and on so many of these by the target's old connection
}

// LeastIdle is how many connections must suffer alike before silence is to blame.
const LeastIdle = 2

// How far apart the silences may be after which something ends connections that it counts by idleness: by this factor,
// and this much more.
const (
	alikeShare = 1.2
	alikeMore  = 2 * time.Second
)

// with are the connections with one of these fates.
func (o *Idling) with(fates ...IdleFate) (all []IdleConnection) {
	for _, c := range o.Connections {
		if slices.Contains(fates, c.Fate) {
			all = append(all, c)
		}
	}
	return all
}

// lost are the connections that did not survive their silence, as far as chance is excluded.
func (o *Idling) lost() []IdleConnection {
	all := o.with(ResetOnAsking)
	if o.LossConfirmed() {
		all = append(all, o.with(Silent)...)
	}
	if o.Outlived {
		all = append(all, o.with(EndedByFIN, EndedByRST)...)
	}
	return all
}

// shortest is the shortest silence of some; there must be one.
func shortest(all []IdleConnection) time.Duration { return first(all).Idle }

// longest is the longest silence; 0 if there are none.
func longest(all []IdleConnection) (d time.Duration) {
	for _, c := range all {
		d = max(d, c.Idle)
	}
	return d
}

// held is the longest silence that a connection survived.
func (o *Idling) held() time.Duration { return longest(o.with(Held)) }

// convicted reports whether enough connections were lost, none survived as much silence, and a fresh one was
// established then.
func (o *Idling) convicted() bool {
	lost := o.lost()
	return len(lost) >= LeastIdle && o.held() < shortest(lost) && o.Isolated && !o.deadPath()
}

// deadPath reports whether the ports of those that were silent answer nothing at all: their path may have ended.
func (o *Idling) deadPath() bool {
	return len(o.with(ResetOnAsking)) == 0 && len(o.with(Silent)) > 0 && o.Reopened == 0
}

// sender says who sent the RSTs of these connections, as far as they show it.
func sender(all []IdleConnection) string {
	var resets []*conn.ReceivedReset
	for _, c := range all {
		if c.Reset != nil {
			resets = append(resets, c.Reset)
		}
	}
	return Sender(resets)
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// by is what ended a connection: a FIN, or else an RST.
func (f IdleFate) by() string {
	if f == EndedByFIN {
		return "a FIN"
	}
	return "an RST"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
