package watch

import (
	"time"

	"github.com/tcpprobe/tcpprobe/probe/segment"
	"github.com/tcpprobe/tcpprobe/probe/seq"
)

// connection is what a path knows of its present connection.
type connection struct {
	standing bool
	opened   time.Time
	iss      seq.Number
	rtt      time.Duration
	serial   bool // the peer names no duplicates, so one segment is asked at a time
	ever     bool // it answered
	pairs    int  // that began
	next     time.Time
	open     []*round // that are not judged
	asked    map[segment.SACKBlock]*Ask
	latest   []*Ask // those asked, in order
	block    *block
	spoke    bool // the peer sent data
	unnamed  int  // acknowledgements that name nothing
	silence  int  // rounds in a row of which nothing came back
}
