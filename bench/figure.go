package main

import (
	"slices"
)

// row has one tool's values over the rounds, or a comparison of two tools.
type row struct {
	Of     string  `json:"of"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// aim is the required median of one row: at least or at most.
type aim struct {
	Of      string  `json:"of"`
	AtLeast float64 `json:"atLeast,omitempty"`
	AtMost  float64 `json:"atMost,omitempty"`
	Met     bool    `json:"met"`
}

// figure is one measured quantity.
type figure struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	Rows []row  `json:"rows"`
	Aim  aim    `json:"aim"`
}

// Names of rows.
const (
	engine = "this engine"
	tuned  = "Python tool, tuned"
	naive  = "Python tool, naive"
	kernel = "kernel's own TCP"
)

// over returns a row with f of every round.
func over(rounds []round, name string, f func(round) float64) row {
	values := make([]float64, len(rounds))
	for i, r := range rounds {
		values[i] = f(r)
	}
	slices.Sort(values)
	return row{name, values[0], median(values), values[len(values)-1]}
}

// median returns the median of sorted values.
func median(sorted []float64) float64 {
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// judge sets whether the figure's aim is met.
func (f figure) judge() figure {
	i := slices.IndexFunc(f.Rows, func(r row) bool { return r.Of == f.Aim.Of })
	m := f.Rows[i].Median
	f.Aim.Met = (f.Aim.AtLeast == 0 || m >= f.Aim.AtLeast) && (f.Aim.AtMost == 0 || m <= f.Aim.AtMost)
	return f
}

// Names of the figures that a profile can explain.
const (
	rateFigure = "handshake + push + close"
	cpuFigure  = "processor time of one handshake + push + close"
	wrapFigure = "SequenceWrap with 128 flows on a clean path, without pacing"
)

// figures computes all figures from the rounds.
func figures(r []round) []figure {
	all := []figure{rate(r), processor(r), {
		Name: wrapFigure, Unit: "ms", Aim: aim{Of: engine, AtMost: 50},
		Rows: []row{over(r, engine, func(r round) float64 { return r.wrapTime.Milliseconds })},
	}, roundTrip(r), {
		Name: "from process start to the first SYN on the wire", Unit: "ms", Aim: aim{Of: engine, AtMost: 25},
		Rows: []row{over(r, engine, func(r round) float64 { return r.engineStart }),
			over(r, tuned, func(r round) float64 { return r.pythonStart })},
	}, {
		Name: "resident memory at full rate", Unit: "MB", Aim: aim{Of: engine, AtMost: 25},
		Rows: []row{over(r, engine, func(r round) float64 { return megabytes(r.engine) }),
			over(r, tuned, func(r round) float64 { return megabytes(r.tuned) })},
	}}
	for i, f := range all {
		all[i] = f.judge()
	}
	return all
}

func megabytes(e exchangeStats) float64 { return float64(e.ResidentKilobytes) * 1024 / 1e6 }

func rate(r []round) figure {
	const ratio = "this engine / Python tool, tuned"
	return figure{Name: rateFigure, Unit: "per second", Aim: aim{Of: ratio, AtLeast: 100}, Rows: []row{
		over(r, engine, func(r round) float64 { return r.engine.PerSecond() }),
		over(r, kernel, func(r round) float64 { return r.kernel.PerSecond() }),
		over(r, tuned, func(r round) float64 { return r.tuned.PerSecond() }),
		over(r, naive, func(r round) float64 { return r.naive.PerSecond() }),
		over(r, ratio, func(r round) float64 { return r.engine.PerSecond() / r.tuned.PerSecond() }),
	}}
}

func processor(r []round) figure {
	const ratio = "Python tool, tuned / this engine"
	return figure{Name: cpuFigure, Unit: "µs", Aim: aim{Of: ratio, AtLeast: 50}, Rows: []row{
		over(r, engine, func(r round) float64 { return r.engine.CPUMicros() }),
		over(r, kernel, func(r round) float64 { return r.kernel.CPUMicros() }),
		over(r, tuned, func(r round) float64 { return r.tuned.CPUMicros() }),
		over(r, naive, func(r round) float64 { return r.naive.CPUMicros() }),
		over(r, ratio, func(r round) float64 { return r.tuned.CPUMicros() / r.engine.CPUMicros() }),
	}}
}

func roundTrip(r []round) figure {
	const excess = "this engine - kernel's own TCP"
	middle := func(values []float64) float64 { return median(slices.Sorted(slices.Values(values))) }
	return figure{Name: "round trip of SYN and SYN-ACK, median", Unit: "µs", Aim: aim{Of: excess, AtMost: 3}, Rows: []row{
		over(r, engine, func(r round) float64 { return middle(r.roundTripTimes.Engine) }),
		over(r, kernel, func(r round) float64 { return middle(r.roundTripTimes.Kernel) }),
		over(r, tuned, func(r round) float64 { return middle(r.tuned.RoundTripMicros) }),
		over(r, excess, func(r round) float64 { return middle(r.roundTripTimes.Engine) - middle(r.roundTripTimes.Kernel) }),
	}}
}
