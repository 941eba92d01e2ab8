package report

import (
	"strings"
	"testing"
)

// The table says what each Pass covers, in one line for results that cover the same.
func TestTableSaysWhatAPassCovers(t *testing.T) {
	p := examplePlan(2)
	busy, idle := &Connections{}, &Connections{Idle: true}
	kernel := &KernelCoverage{Sizes: []string{"1", "MSS"}, MSS: 1448, Options: []string{"Timestamps"}}
	inFlight := *kernel
	inFlight.Sizes = []string{"1", SizeInFlight, SizeAcross}
	pass := func(position int, variant string, c Coverage) Result {
		r := result(p, position, 1, Pass, Delivered)
		r.Name, r.Variant, r.Covers = "", variant, &c
		return r
	}
	failed := pass(1, "Ack", Coverage{SourcePorts: 1})
	failed.Verdict = Fail
	r := exampleReport(p,
		pass(0, "Push", Coverage{SourcePorts: 16, Bytes: &Lengths{70, 120, 9}, Direction: ToTarget, Connections: busy,
			Kernel: kernel}),
		pass(0, "Data", Coverage{SourcePorts: 16, Bytes: &Lengths{64, 110, 9}, Direction: ToTarget, Connections: busy,
			Kernel: kernel}),
		pass(0, "Fin", Coverage{SourcePorts: 16, Direction: ToTarget, Connections: idle}),
		pass(0, "Null", Coverage{SourcePorts: 16, Bytes: &Lengths{1, 1, 1}, Direction: ToTarget}),
		pass(0, "AckZero", Coverage{SourcePorts: 1, Direction: BothWays}),
		pass(0, "Syn", Coverage{SourcePorts: 16, Direction: ToTarget, Options: []string{"MSS", "SACKPermitted"}}),
		pass(0, "PeerPush", Coverage{SourcePorts: 1, Bytes: &Lengths{64, 64, 1}, Direction: FromTarget}),
		failed,
		pass(1, "Push", Coverage{SourcePorts: 16, Bytes: &Lengths{1, 1460, 9}, Direction: ToTarget}),
		pass(1, "Data", Coverage{SourcePorts: 16, Bytes: &Lengths{1, 9, 9}, Direction: ToTarget, Kernel: &inFlight,
			Connections: busy}),
		pass(1, "Straddle", Coverage{SourcePorts: 16, Bytes: &Lengths{1, 9, 9}, Direction: ToTarget, Connections: busy}))
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	const ordinary = "; ordinary connections with Timestamps, of 1, MSS bytes (MSS 1448)"
	const own = "other ports of the target, the target's own segments at 0"
	const ordered = "data in flight across 0, "
	const young = "idle connections, long-lived connections, "
	want := strings.Join([]string{"",
		"covered by SequenceWrap/Push, Data to 10.244.2.2:8080: segments of 64 to 120 bytes without TCP options, " +
			"from 16 source ports" + ordinary + "; not asked: other lengths, other content, " + ordered + young + own,
		"covered by SequenceWrap/Fin to 10.244.2.2:8080: segments without TCP options, from 16 source ports; " +
			"not asked: TCP options, long-lived connections, " + own,
		"covered by SequenceWrap/Null to 10.244.2.2:8080: segments of 1 byte without TCP options, " +
			"from 16 source ports; not asked: other lengths, other content, TCP options, " + own,
		"covered by SequenceWrap/AckZero to 10.244.2.2:8080: segments without TCP options, from 1 source port, " +
			"and the answers at 0; not asked: TCP options, other ports of the target",
		"covered by SequenceWrap/Syn to 10.244.2.2:8080: segments with MSS, SACKPermitted, from 16 source ports; " +
			"not asked: " + own,
		"covered by SequenceWrap/PeerPush to 10.244.2.2:8080: the target's own segments of 64 bytes without TCP options, " +
			"from 1 source port; not asked: other lengths, other content, TCP options, other ports of the target",
		"covered by SequenceWrap/Push to 10.244.2.1:8080: segments of 1 to 1460 bytes without TCP options, " +
			"from 16 source ports; not asked: other lengths, other content, TCP options, " + own,
		"covered by SequenceWrap/Data to 10.244.2.1:8080: segments of 1 to 9 bytes without TCP options, from 16 source " +
			"ports; ordinary connections with Timestamps, of 1 bytes (MSS 1448), in flight, across 0; " +
			"not asked: other lengths, other content, " + young + own,
		"covered by SequenceWrap/Straddle to 10.244.2.1:8080: segments of 1 to 9 bytes without TCP options, from 16 " +
			"source ports; not asked: other lengths, other content, TCP options, ordinary connections and what they send " +
			"after 0, " + ordered + young + own,
		""}, "\n")
	if !strings.Contains(b.String(), want) {
		t.Errorf("the table is\n%s\nwithout%s", b.String(), want)
	}
}
