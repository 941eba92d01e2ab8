package verdict

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/route"
)

func TestCountHops(t *testing.T) {
	first := route.Hop{Device: "eth0", Address: netip.MustParseAddr("192.0.2.1")}
	second := route.Hop{Device: "eth1", Address: netip.MustParseAddr("fd00::1")}
	got := CountHops([]HopTried{{first, report.Pass}, {second, report.Fail}, {route.Hop{}, report.Fail},
		{first, report.Inconclusive}, {first, report.Pass}, {second, report.Pass}}, first)
	want := []report.NextHop{{Device: "eth1", Address: "fd00::1", Pass: 1, Fail: 1},
		{Device: "eth0", Address: "192.0.2.1", Pass: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if none := CountHops([]HopTried{{route.Hop{}, report.Pass}}, first); none != nil {
		t.Errorf("flows whose next hop is not known: %+v", none)
	}
	if none := CountHops([]HopTried{{first, report.Pass}}, first); none != nil {
		t.Errorf("all by the plain next hop: %+v", none)
	}
	if one := CountHops([]HopTried{{second, report.Pass}}, first); len(one) != 1 {
		t.Errorf("all by another next hop: %+v", one)
	}
}

func hop(device string, pass, fail int) report.NextHop {
	return report.NextHop{Device: device, Address: "192.0.2.1", Pass: pass, Fail: fail}
}

// A next hop is named only if every flow that failed left by it, no other flow failed, and chance is excluded.
func TestByHop(t *testing.T) {
	for name, c := range map[string]struct {
		hops []report.NextHop
		says string // "": nothing
	}{
		"one dead of two": {[]report.NextHop{hop("c1", 0, 8), hop("c0", 8, 0)},
			"all 8 flows by 192.0.2.1 on device c1 fail, none of 8 by 192.0.2.1 on device c0"},
		"a part behind one of two": {[]report.NextHop{hop("c1", 5, 7), hop("c0", 12, 0)},
			"7 of 12 flows by 192.0.2.1 on device c1 fail, none of 12"},
		"two dead of four": {[]report.NextHop{hop("c1", 0, 5), hop("c2", 0, 4), hop("c0", 4, 0), hop("c3", 3, 0)},
			"all 5 flows by 192.0.2.1 on device c1 and all 4 flows by 192.0.2.1 on device c2 fail, none of 7 by 2 others"},
		"both alike":          {[]report.NextHop{hop("c1", 8, 8), hop("c0", 8, 8)}, ""},
		"both dead":           {[]report.NextHop{hop("c1", 0, 8), hop("c0", 0, 8)}, ""},
		"one failure beside":  {[]report.NextHop{hop("c1", 0, 8), hop("c0", 8, 1)}, ""},
		"once in 60":          {[]report.NextHop{hop("c1", 0, 3), hop("c0", 7, 0)}, ""},
		"too few":             {[]report.NextHop{hop("c1", 0, 3), hop("c0", 4, 0)}, ""},
		"enough":              {[]report.NextHop{hop("c1", 0, 5), hop("c0", 5, 0)}, "all 5 flows"},
		"one hop":             {[]report.NextHop{hop("c1", 3, 8)}, ""},
		"one hop, no failure": {[]report.NextHop{hop("c1", 8, 0)}, ""},
		"nothing failed":      {[]report.NextHop{hop("c1", 8, 0), hop("c0", 8, 0)}, ""},
		"not known":           {nil, ""},
	} {
		if got := byHop(c.hops); c.says == "" && got != "" || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
	}
}

// The finding says by which next hop flows fail where the source ports show that the path decides, and where too few
// were asked again.
func TestSpreadNamesTheNextHop(t *testing.T) {
	hops := []report.NextHop{hop("c1", 0, 8), hop("c0", 8, 0)}
	s := Spread{Flows: report.Flows{Tried: 16, Pass: 8, Fail: 8}, Hops: hops}
	const says = "the next hop tells them apart: all 8 flows by 192.0.2.1 on device c1 fail"
	if got := s.Explain("no answer"); !strings.HasPrefix(got, "on 8 of 16 flows, "+says) {
		t.Error(got)
	}
	for name, change := range map[string]func(*Spread){
		"a hop that is not known": func(s *Spread) { s.Flows.Fail, s.Flows.Tried = 9, 17 },
		"the length decides":      func(s *Spread) { s.Lengths = lengthsOfFlows([]int{9, 9, 9, 9, 9}, []int{1, 1, 1, 1, 1}) },
		"other answers":           func(s *Spread) { s.Again = Repeats{Failed: Count{Sent: 2, Lost: 1}} },
	} {
		other := s
		if change(&other); strings.Contains(other.Explain("no answer"), "next hop") {
			t.Errorf("%s: %s", name, other.Explain("no answer"))
		}
	}
	s.Again = Repeats{Failed: Count{Sent: 5, Lost: 5}, Passed: Count{Sent: 12}}
	if got := s.Explain("no answer"); !strings.HasPrefix(got, "on about 1 of 2 paths") || !strings.Contains(got, says) {
		t.Error(got)
	}
}
