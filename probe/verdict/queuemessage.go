package verdict

import "fmt"

// lookAtTarget says what distinguishes a full queue from a limit.
const lookAtTarget = "Look on the target: a full queue shows in `ss -lnt` (Recv-Q above Send-Q) and grows " +
	"`nstat -az TcpExtListenOverflows`; else look for what limits SYNs or connections on the way"

var behaviours = map[string]string{
	IgnoredSyn: "the SYN of the next gets no answer",
	IgnoredAck: "the next gets a SYN-ACK, but its final ACK and its data count for nothing",
	ResetIt:    "the next is reset",
}

var underWay = map[string]string{
	IgnoredAck: ", a handshake that was under way comes to nothing",
	ResetIt:    ", a handshake that was under way is reset (on Linux: tcp_abort_on_overflow)",
}

func (f *Filling) depth() string {
	if f.More == 0 {
		return fmt.Sprintf("%d connections get a place, and no more", f.Least)
	}
	return fmt.Sprintf("after %d connections one gets no place, while %d more were established from other source ports: "+
		"several queues (SO_REUSEPORT), or an application that accepts slowly",
		f.Least, f.More)
}

// others says how many ports got a place that others did not get. A queue does not tell ports apart.
func (f *Filling) others() string {
	if f.More == 0 {
		return ""
	}
	return fmt.Sprintf("; from source ports that were answered before, %d more were established", f.More)
}

func (f *Filling) certainty() string {
	if !f.Test.Significant() {
		return fmt.Sprintf("%d times in a row, while the established connections answer", f.Refusals)
	}
	return f.Test.String()
}

func (f *Filling) afterwards() string {
	if !f.Asked {
		return "The run ended before it could be seen whether a fresh connection is established now: only the " +
			"application's accept() frees the queue's slots"
	}
	if f.NoSpares {
		return "Then all connections were to end, but the target confirms no reset, so what a fresh one meets shows nothing"
	}
	if f.Freed {
		return "After all connections were reset a fresh one was established: the application accepts, but more slowly " +
			"than connections come"
	}
	return "After all connections were reset a fresh one still was not established: closing does not free the queue's " +
		"slots, only the application's accept() does, and it stays full until then"
}

func (f *Filling) hypotheses() string {
	switch {
	case f.limitsSYNs() && f.OnEstablished.Sent > 0 && f.OnEstablished.Lost == f.OnEstablished.Sent:
		return "SYNs on established connections get no answer either, and those do not reach the listener: something " +
			"limits SYNs, by their rate or their source"
	case f.limitsSYNs() && f.completedInProgress():
		return "A handshake in progress was completed all the same, which a full queue does not allow: something limits " +
			"new connections, or the application accepts slowly, or several listeners share the port (SO_REUSEPORT), and " +
			"the full queue is another one's"
	case f.rejectsSYNs() && f.UnderWay != "":
		return "A handshake in progress came to nothing too, as with a full queue, but chance is not excluded for it"
	case f.limitsSYNs():
		return "What becomes of a handshake in progress would tell, and none certainly was at that moment: the queue is " +
			"full, or something limits new connections"
	}
	return "Its SYN was answered: the queue is full of a listener that answers SYNs all the same, or a SYN proxy " +
		"answers them and what is behind it takes no more connections, or other source ports reach another listener of " +
		"the port (SO_REUSEPORT)"
}

// later says what a fresh connection met after all others were reset.
func (f *Filling) later() string {
	switch {
	case !f.Asked, f.NoSpares:
		return ""
	case f.Freed:
		return ". After all connections were reset a fresh one was established, as after a limit of connections at once"
	}
	return ". After all connections were reset a fresh one still was not established, as with an application that " +
		"accepts nothing, or a limit of the rate"
}
