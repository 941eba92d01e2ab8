package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/route"
)

// HopTried is by which next hop a flow left, and its verdict.
type HopTried struct {
	Hop     route.Hop
	Verdict report.Verdict
}

// CountHops counts the flows with a verdict by next hop, those with the most failures first. Flows whose next hop is
// not known are left out. It returns nil if all left by the plain one, to which the route leads whatever the port.
func CountHops(all []HopTried, plain route.Hop) (hops []report.NextHop) {
	at := map[route.Hop]int{}
	for _, t := range all {
		if t.Hop == (route.Hop{}) || t.Verdict == report.Inconclusive {
			continue
		}
		i, known := at[t.Hop]
		if !known {
			i = len(hops)
			at[t.Hop] = i
			hops = append(hops, report.NextHop{Device: t.Hop.Device, Address: t.Hop.Address.String()})
		}
		if t.Verdict == report.Fail {
			hops[i].Fail++
		} else {
			hops[i].Pass++
		}
	}
	if _, only := at[plain]; only && len(hops) == 1 {
		return nil
	}
	slices.SortFunc(hops, func(a, b report.NextHop) int {
		return cmp.Or(cmp.Compare(b.Fail, a.Fail), cmp.Compare(a.Pass, b.Pass), cmp.Compare(a.Device, b.Device),
			cmp.Compare(a.Address, b.Address))
	})
	return hops
}

// byHopAlpha bounds the error of the conclusion that the next hop tells bad flows from good ones.
const byHopAlpha = 0.01

// byHop says by which next hops flows fail, if all that failed left by these, of the others none did, and chance is
// excluded. The test is exact, and allows for the choice of the hops among all: any but none or all of them.
func byHop(hops []report.NextHop) string {
	bad := slices.IndexFunc(hops, func(h report.NextHop) bool { return h.Fail == 0 })
	if bad <= 0 {
		return ""
	}
	failed, good := sumHops(hops[:bad]), sumHops(hops[bad:])
	choices := math.Exp2(float64(len(hops))) - 2
	if Fisher(failed.Lost, failed.Sent, 0, good.Sent)*choices > byHopAlpha {
		return ""
	}
	words := make([]string, bad)
	for i, h := range hops[:bad] {
		words[i] = fmt.Sprintf("%s flows by %s on device %s", countFailed(h), h.Address, h.Device)
	}
	return fmt.Sprintf("the next hop tells them apart: %s fail, none of %d by %s", strings.Join(words, " and "), good.Sent,
		otherHops(hops[bad:]))
}

func countFailed(h report.NextHop) string {
	if h.Pass == 0 {
		return fmt.Sprintf("all %d", h.Fail)
	}
	return fmt.Sprintf("%d of %d", h.Fail, h.Fail+h.Pass)
}

func otherHops(hops []report.NextHop) string {
	if len(hops) > 1 {
		return fmt.Sprintf("%d others", len(hops))
	}
	return fmt.Sprintf("%s on device %s", hops[0].Address, hops[0].Device)
}

func sumHops(hops []report.NextHop) (n Count) {
	for _, h := range hops {
		n.Sent, n.Lost = n.Sent+h.Fail+h.Pass, n.Lost+h.Fail
	}
	return n
}
