// Package watch asks a path all the time whether it carries what starts at sequence number 0. It does so inside quiet
// connections whose initial number is a little above 0: there 0 is an old number, which the peer names as a duplicate
// as often as it is asked. The application reads nothing, and the connection shows the fault's beginning and its end.
//
// Path decides, on a clock that its caller has, and knows no network. Run holds the connections of many paths.
package watch

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// Settings say how a target is watched.
type Settings struct {
	Paths      int           `json:"paths"`     // connections, each from another port and so perhaps over another path
	Heartbeat  time.Duration `json:"heartbeat"` // from one pair of suspect and control to the next
	Variants   []string      `json:"variants"`
	Hold       bool          `json:"hold,omitempty"` // connections are held; otherwise each lasts for a moment
	For        time.Duration `json:"for,omitempty"`  // 0: until it is stopped
	ClearAfter time.Duration `json:"clearAfter"`     // how long a path must be well again
}

// Bounds and defaults of settings.
const (
	MaxPaths         = 256
	MinHeartbeat     = 200 * time.Millisecond
	MaxHeartbeat     = time.Minute
	MinClear         = time.Second
	MaxClear         = time.Hour
	DefaultPaths     = 4
	DefaultHeartbeat = time.Second
	DefaultClear     = time.Minute
)

// Variants are those that can be asked by an old number, in the order in which they take turns: of two in a row, one
// has PSH.
var Variants = []string{"Push", "Data", "UrgentPush", "Fin", "PushFin"}

// Errors of settings. The caller names the flag or field.
var (
	ErrPaths     = fmt.Errorf("want 1 to %d", MaxPaths)
	ErrHeartbeat = fmt.Errorf("want %s to %s", MinHeartbeat, MaxHeartbeat)
	ErrClear     = fmt.Errorf("want %s to %s", MinClear, MaxClear)
	ErrVariants  = fmt.Errorf("want %s", variant.List(Variants))
	ErrFor       = errors.New("want more than 0")
)

// Check returns the error of the first setting that is out of its bounds.
func (s Settings) Check() error {
	unknown := func(name string) bool { return !slices.Contains(Variants, name) }
	switch {
	case s.Paths < 1 || s.Paths > MaxPaths:
		return ErrPaths
	case s.Heartbeat < MinHeartbeat || s.Heartbeat > MaxHeartbeat:
		return ErrHeartbeat
	case s.ClearAfter < MinClear || s.ClearAfter > MaxClear:
		return ErrClear
	case len(s.Variants) == 0 || slices.ContainsFunc(s.Variants, unknown):
		return ErrVariants
	case s.For < 0:
		return ErrFor
	}
	return nil
}

// Initial numbers of watched connections. The lower bound leaves enough numbers for controls, the upper one keeps all
// of them old for a peer with the smallest window.
const (
	leastISS = 1024
	mostISS  = 16000
)
