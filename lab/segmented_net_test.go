//go:build net

package lab

import (
	"io"
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
		t.Cleanup(func() { _ = stop() })
		j, err := l.Inject(parsed(t, "every-urg@in")...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = j.Close() })
		if err := l.Client().Do(func() error { return echoed(l, bytes) }); err != nil {
			t.Fatal(err)
		}
		counted, err := j.Counters()
		if err != nil {
			t.Fatal(err)
		}
		seen := int(counted[0].In.Seen)
		if segmented && seen < segments {
			t.Errorf("%d packets carried %d segments", seen, segments)
		}
		t.Logf("segmented %t: %d packets for %d segments", segmented, seen, segments)
	}
}

// echoed sends so many bytes at once and reads them back.
func echoed(l *Lab, bytes int64) error {
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
	if _, err := io.CopyN(io.Discard, c, bytes); err != nil {
		return err
	}
	return <-sent
}
