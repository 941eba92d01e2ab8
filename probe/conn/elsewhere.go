package conn

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tcpprobe/tcpprobe/probe/guard"
)

// elsewhereWait is how long a flow's first packet on another device may be followed by one on its own. A packet of a
// bond, a bridge or a VLAN is seen on the device below first.
const elsewhereWait = 20 * time.Millisecond

// returns are the other devices by which a stack takes answers.
type returns struct {
	mu    sync.Mutex
	taken map[returning]bool
}

type returning struct {
	device int
	from   netip.Addr
}

func (r *returns) takes(device int, from netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken[returning{device, from}]
}

func (r *returns) take(device int, from netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken == nil {
		r.taken = map[returning]bool{}
	}
	r.taken[returning{device, from}] = true
}

// elsewhere is what came in for a flow by other devices.
type elsewhere struct {
	packets atomic.Uint64
	last    atomic.Int64 // index of the device of the last packet: the uppermost, where several see a packet
}

// tookElsewhere notes a packet that came in by another device. If none follows on the flow's own, the stack is asked
// whether it takes answers there.
func (f *flow) tookElsewhere(device int) {
	f.elsewhere.last.Store(int64(device))
	if f.elsewhere.packets.Add(1) == 1 && f.stack.Elsewhere != nil {
		time.AfterFunc(elsewhereWait, f.lookElsewhere)
	}
}

func (f *flow) lookElsewhere() {
	if f.seen.Load() > 0 {
		return
	}
	device := int(f.elsewhere.last.Load())
	if f.stack.Elsewhere(guard.Flow{Local: f.key.Local, Remote: f.key.Remote}, device) {
		f.stack.returns.take(device, f.key.Remote.Addr())
	}
}
