package verdict

import (
	"fmt"
	"slices"

	"github.com/tcpprobe/tcpprobe/probe/report"
	"github.com/tcpprobe/tcpprobe/probe/variant"
)

// kernelMessage says what became of the connections, in one clause.
func kernelMessage(k report.KernelConnections, notAsked string) string {
	switch crossing, _ := k.Counts(); {
	case notAsked != "":
		return notAsked
	case k.Outcome == report.KernelNotAsked:
		return "none of them got as far as sending data"
	case crossing.Harmed() == 0:
		return fmt.Sprintf("%d kernel connections crossed 0 unharmed (%s bytes)", crossing.Told(),
			kernelSizeNames(crossed(k)))
	}
	of, which := ofHarmedSizes(k), ""
	if len(of.Sizes) < len(k.Sizes) {
		which = fmt.Sprintf("of %s bytes ", kernelSizeNames(of))
	}
	crossing, control := of.Counts()
	message := fmt.Sprintf("%d of %d kernel connections %sthat cross 0 %s, %d of %d others", crossing.Harmed(),
		crossing.Told(), which, kernelHarm(k, crossing), control.Harmed(), control.Told())
	switch k.Outcome {
	case report.KernelUnharmed:
		message += ": chance is not excluded"
	case report.KernelAlike:
		message += " as well: that harm is not a matter of 0"
	}
	return message
}

// crossed are the counts of those sizes of which a connection that crosses 0 tells something.
func crossed(k report.KernelConnections) report.KernelConnections {
	k.Sizes = slices.DeleteFunc(slices.Clone(k.Sizes),
		func(s report.KernelSize) bool { return s.Crossing.Told() == 0 })
	return k
}

// kernelHarm is what happened to those that were harmed: what most of them suffered.
func kernelHarm(k report.KernelConnections, n report.KernelCount) string {
	switch {
	case n.Died > n.Stalled+n.Silent:
		return "die"
	case n.Silent > 0:
		return "stand still"
	case k.StallMillis > 0:
		return fmt.Sprintf("stall %d ms", k.StallMillis)
	}
	return "stall"
}

func kernelSizeNames(k report.KernelConnections) string {
	var names []string
	for _, s := range k.Sizes {
		names = append(names, s.Size)
	}
	return variant.List(names)
}
