package flow

import "github.com/tcpprobe/tcpprobe/probe/conn"

// Remains counts the connections that were not seen to end.
type Remains struct {
	Left    int // the peer showed that it still holds them
	Unknown int // nothing showed whether it does
}

// RemainsOf is what the end of a connection that the peer had accepted counts as.
func RemainsOf(e conn.Ending) Remains {
	switch {
	case e.Confirmed:
		return Remains{}
	case e.Left:
		return Remains{Left: 1}
	}
	return Remains{Unknown: 1}
}

// Plus adds two counts.
func (r Remains) Plus(other Remains) Remains {
	return Remains{r.Left + other.Left, r.Unknown + other.Unknown}
}
