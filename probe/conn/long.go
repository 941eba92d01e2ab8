package conn

import "fmt"

// KeepLast makes the log keep so many of the last packets, where it otherwise keeps the first of each part. Segments
// does not count them then. It is for connections that are held for long, and is called before anything is sent.
func (c *Conn) KeepLast(packets int) { c.log.last = packets }

// Window tells of the time since it was called last, or since the connection began. The tap sees a segment some
// microseconds before the guard counts it: if Seen is more than Stolen, a later call with the sum of both is clean.
func (c *Conn) Window() (SelfCheck, error) {
	f := c.flow
	if err := f.stack.receiveError(); err != nil {
		return SelfCheck{}, err
	}
	lost, err := f.lost()
	if err != nil {
		return SelfCheck{}, err
	}
	n, err := f.stack.Guard.Counters(f.key)
	if err != nil {
		return SelfCheck{}, fmt.Errorf("read the guard's counters of %s: %w", f.key.Local, err)
	}
	now := SelfCheck{Seen: f.seen.Load(), Stolen: n.Stolen, ResetsDropped: n.ResetsDropped, KernelResets: f.resets.Load(),
		Overflow: f.overflow.Load() + lost, OtherDevice: f.elsewhere.packets.Load()}
	window := now.minus(c.window)
	c.window = now
	return window, nil
}

func (c SelfCheck) minus(d SelfCheck) SelfCheck {
	return SelfCheck{c.Seen - d.Seen, c.Stolen - d.Stolen, c.ResetsDropped - d.ResetsDropped,
		c.KernelResets - d.KernelResets, c.Overflow - d.Overflow, c.OtherDevice - d.OtherDevice}
}
