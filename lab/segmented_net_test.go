//go:build net

package lab

import (
	"net"
	"testing"
)

// A switch sees large data segment by segment only if the client's kernel segments it.
func TestSegmentedDataIsSeenSegmentBySegment(t *testing.T) {
	const bytes, segments = 64000, 64000 / 1460
	for _, segmented := range []bool{true, false} {
		l := newLab(t, Options{Segmented: segmented})
		stop, err := l.Server().Serve()
		if err != nil {
			t.Fatal(err)
		}
		j, err := l.Inject(parsed(t, "every-urg@in")...)
		if err != nil {
			t.Fatal(err)
		}
		err = l.Client().Do(func() error {
			c, err := net.Dial("tcp", l.Target(IPv4, Echo).String())
			if err != nil {
				return err
			}
			defer c.Close()
			sent := make(chan error, 1)
			go func() {
				_, err := c.Write(make([]byte, bytes))
				sent <- err
			}()
			for got := 0; got < bytes && err == nil; {
				var n int
				n, err = c.Read(make([]byte, bytes))
				got += n
			}
			if err == nil {
				err = <-sent
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		counted, err := j.Counters()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("segmented %t: %d packets", segmented, counted[0].In.Seen)
		if seen := int(counted[0].In.Seen); segmented && seen < segments {
			t.Errorf("%d packets carried %d segments", seen, segments)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}
