package verdict

import (
	"fmt"
	"slices"
	"strings"

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
		return fmt.Sprintf("%d kernel connections crossed 0 unharmed (%s)", crossing.Told(), kernelSizeNames(crossed(k)))
	}
	crossing, control := harmedCounts(k)
	message := fmt.Sprintf("%d of %d kernel connections %s %s, %d of %d others", crossing.Harmed(), crossing.Told(),
		harmedKind(k), kernelHarm(k, crossing), control.Harmed(), control.Told())
	switch k.Outcome {
	case report.KernelUnharmed:
		message += ": chance is not excluded"
	case report.KernelAlike:
		message += " as well: that harm is not a matter of 0"
	}
	return message
}

// noneInFlight says why no connection tells what becomes of data in flight, where each that was made for it was void.
func noneInFlight(k report.KernelConnections, overtaken bool) string {
	if !overtaken || k.Outcome == report.KernelNotAsked || sizeOf(k, report.SizeInFlight).Crossing.Told() > 0 {
		return ""
	}
	return "; none had data in flight there: what is before 0 was acknowledged before the next segments had left"
}

// harmedKind says which connections were harmed.
func harmedKind(k report.KernelConnections) string {
	k = crossed(k)
	var waiting, kinds []string
	spared, tail := false, "" // spared: all but the one kind that begins no segment at 0
	for _, s := range k.Sizes {
		switch {
		case s.Crossing.Harmed() == 0:
			spared = s.Size == report.SizeAcross
		case s.Size == report.SizeAcross:
			tail = " or have a segment across it"
		case s.Size == report.SizeInFlight:
			kinds = append(kinds, "in flight")
		default:
			waiting = append(waiting, s.Size)
		}
	}
	if len(waiting) > 0 {
		kinds = slices.Insert(kinds, 0, "of "+variant.List(waiting)+" bytes")
	}
	switch harmed := len(ofHarmedSizes(k).Sizes); {
	case harmed == len(k.Sizes):
		return "that cross 0"
	case harmed == len(k.Sizes)-1 && spared:
		return "with a segment that begins at 0"
	case harmedOnly(k, report.SizeAcross):
		return "that cross 0 within a segment"
	}
	return strings.Join(kinds, " or ") + " that cross 0" + tail
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

// kernelSizeNames lists sizes: "1 and 3 bytes, in flight".
func kernelSizeNames(k report.KernelConnections) string {
	var waiting, names []string
	for _, s := range k.Sizes {
		if slices.Contains(hurried, s.Size) {
			names = append(names, s.Size)
		} else {
			waiting = append(waiting, s.Size)
		}
	}
	if len(waiting) > 0 {
		names = slices.Insert(names, 0, variant.List(waiting)+" bytes")
	}
	return strings.Join(names, ", ")
}
