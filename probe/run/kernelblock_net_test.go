//go:build net

package run_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// ofKernel matches three in four of the source ports that a kernel chooses; crafted flows have others.
func ofKernel() []expr.Any {
	const crafted, twoBits = 61000, 6
	below := field(expr.PayloadBaseTransportHeader, 0, 2, expr.CmpOpLt, binary.BigEndian.AppendUint16(nil, crafted))
	return append(below, &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 1, Len: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{twoBits}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: []byte{0}})
}

// Three in four connections stall at 0, by their source ports, and no crafted flow: further blocks decide.
func TestMostKernelConnectionsStall(t *testing.T) {
	t.Parallel()
	for _, f := range lab.Families {
		s := newSite(t)
		s.rule(nftables.ChainHookInput, pushAtZero(), ofKernel(), drop)
		r, k := s.push(f, "")
		if crossing, _ := k.Counts(); crossing.Harmed() == 0 {
			continue // none of the first five was hit, by chance: one run in a thousand
		}
		if r.Verdict != report.Fail || r.Reason != report.SequenceZeroStalled || r.Alpha != 1e-3 ||
			!strings.Contains(r.Message, "the crafted segments got through, so ") {
			t.Errorf("%s: %s / %s (%s), %+v", f, r.Verdict, r.Reason, r.Message, k)
		}
	}
}

// A device that lets nothing of a connection pass from 0 on leaves no proof of life to crafted flows. Connections of
// the kernel decide.
func TestKernelConnectionsAreBlockedFromZeroOn(t *testing.T) {
	t.Parallel()
	mark := func(op expr.CmpOp) []expr.Any {
		return []expr.Any{&expr.Ct{Key: expr.CtKeyMARK, Register: 1},
			&expr.Cmp{Op: op, Register: 1, Data: []byte{0, 0, 0, 0}}}
	}
	for _, f := range lab.Families {
		s := newSite(t)
		s.rule(nftables.ChainHookInput, flag(synFlag, expr.CmpOpEq), pushAtZero(), onceEach(), drop)
		s.rule(nftables.ChainHookInput, mark(expr.CmpOpNeq), drop)
		r, k := s.push(f, "")
		if r.Verdict != report.Fail || r.Reason != report.SequenceZeroStalled || k.Outcome != report.KernelStalled ||
			!strings.Contains(r.Message, "decide nothing by themselves: data with PSH at sequence 0 went unanswered") {
			t.Errorf("%s: %s / %s (%s), %+v", f, r.Verdict, r.Reason, r.Message, k)
		}
	}
}

// Where all ends at 0 and at other numbers alike, kernel connections decide nothing: a device resets what has PSH.
func TestKernelConnectionsAreResetEverywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.rule(nftables.ChainHookInput, flag(pushFlag, expr.CmpOpNeq), []expr.Any{
		&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}})
	if r, k := s.push(lab.IPv4, ""); r.Verdict == report.Fail {
		t.Errorf("%s / %s (%s), %+v", r.Verdict, r.Reason, r.Message, k)
	}
}
