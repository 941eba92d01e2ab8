package truth

import (
	"slices"
	"testing"

	"github.com/tcpprobe/tcpprobe/probe/kernelconn"
)

// A size of which no connection was counted is left out, and the others keep their places.
func TestOracleForgets(t *testing.T) {
	short, inFlight := kernelconn.Size{Bytes: 1}, kernelconn.Size{Segments: 3, Order: kernelconn.InFlight}
	full := kernelconn.Size{Segments: 1}
	o := NewOracle(nil, "", []kernelconn.Size{short, inFlight, full})
	o.Sufferings[0].Crossing.Unharmed, o.Sufferings[2].Control.Unopened = 1, 1
	o.forget()
	if !slices.Equal(o.sizes, []kernelconn.Size{short, full}) || len(o.Sufferings) != 2 ||
		o.Sufferings[1].Size != full.String() {
		t.Errorf("%v, %+v", o.sizes, o.Sufferings)
	}
}
