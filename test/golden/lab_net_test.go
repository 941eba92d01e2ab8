//go:build net

package golden

import (
	"strings"
	"testing"
)

// labRun is one run of `tcpprobe lab`.
type labRun struct {
	name           string
	arguments      string
	brief          bool // run it without -whole too
	random         bool // the switch drops at random, so numbers, messages and verdicts vary
	evidenceVaries bool // which segments are sent varies: leave the evidence out
}

// everyVariant has the scenarios and variants that fit any server.
const everyVariant = "--scenario Handshake --scenario SequenceWrap/all --paths 2 --family IPv4"

// labRuns has all faults that `tcpprobe lab --help` lists, all scenarios and servers, and the networks that every
// kernel supports.
func labRuns() (all []labRun) {
	for _, fault := range []string{
		"push-at-zero", "fin-at-zero", "urg-at-zero", "rst-at-zero", "syn-at-zero", "ack-at-zero", "fin-urg-push-at-zero",
		"fin-push-rst-at-zero", "fin-urg-push-together-at-zero", "no-flags-at-zero", "dos-control-at-zero",
		"any-flags-at-zero", "all-at-zero", "straddling-zero", "ack-number-zero", "every-push", "every-fin", "every-urg",
		"every-rst", "every-syn",
		"xmas", "no-flags", "invalid-flags", "everything", "push-at=1000", "push-at-zero@in", "push-at-zero@out", "delay=5ms",
	} {
		evidenceVaries := fault == "every-push" || fault == "ack-number-zero"
		all = append(all, labRun{name: "fault-" + fault, arguments: everyVariant + " --fault " + fault,
			evidenceVaries: evidenceVaries})
	}
	for _, fault := range []string{
		"loss=5%", "burst=5%/50ms", "ecmp=4/1:push-at-zero", "spray=4/1:push-at-zero", "delay=20ms/5ms", "reorder=10%",
		"duplicate=1%",
	} {
		arguments := "--fault " + fault + " --paths 2 --family IPv4"
		name := "fault-" + strings.NewReplacer("/", "-", ":", "-").Replace(fault)
		all = append(all, labRun{name: name, arguments: arguments, random: true})
	}
	for _, network := range []string{
		"firewall-drop", "firewall-reject", "firewall-prohibit", "dnat", "loopback", "bridge", "macvlan", "tun",
	} {
		arguments := "--paths 2 --fault push-at-zero --network " + network
		all = append(all, labRun{name: "network-" + network, arguments: arguments})
	}
	for _, trigger := range []string{
		"http-close --trigger http-get", "http-half-close --trigger http-get=/", "http-shutdown --trigger http-get",
		"http-linger --trigger http-get", "shutdown-on-accept --trigger on-accept", "close-on-accept --trigger on-accept",
		`shutdown-after-text --trigger send=QUIT\r\n`, `close-after-text --trigger send=QUIT\r\n`,
		`half-close-after --trigger send=QUIT\r\n`, "echo --trigger on-accept",
	} {
		server, _, _ := strings.Cut(trigger, " ")
		arguments := "--scenario FinReorder --paths 2 --family IPv4 --fault delay=1ms --server " + trigger
		all = append(all, labRun{name: "finreorder-" + server, arguments: arguments})
	}
	for _, server := range []string{"never-accepts", "sink", "deferred"} {
		arguments := "--scenario AcceptQueue --max-connections 150 --family IPv4 --server " + server
		all = append(all, labRun{name: "acceptqueue-" + server, arguments: arguments})
	}
	for _, server := range []string{
		"sink", "banner", "bad-request", "half-close", "close-on-accept", "deferred",
		"http-close",
	} {
		arguments := everyVariant + " --fault delay=1ms --server " + server
		all = append(all, labRun{name: "server-" + server, arguments: arguments})
	}
	return append(all,
		labRun{name: "brief", arguments: "--fault push-at-zero --paths 2", brief: true},
		labRun{name: "brief-clsact", arguments: "--fault fin-push-rst-at-zero --paths 2 --guard clsact", brief: true},
		labRun{name: "brief-handshake", arguments: "--scenario Handshake --fault everything --paths 2", brief: true},
		labRun{name: "sixteen", arguments: "--fault push-at-zero --alpha 1e-7"},
		labRun{name: "story", arguments: "--paths 2"},
		labRun{name: "catalogue", arguments: "--catalogue --family IPv4"},
	)
}

func (r labRun) record(t *testing.T, command string) {
	t.Helper()
	arguments := strings.Fields(command + " " + r.arguments)
	name, seen := "lab/"+r.name+".txt", make(map[string]bool)
	labSlots <- struct{}{}
	defer func() { <-labSlots }()
	last := ""
	for range attempts {
		document := r.normalise(run(t, "tcpprobe", arguments...))
		if settled := seen[document]; *update && settled || !*update && expected(name) == document {
			compare(t, name, document)
			return
		}
		seen[document] = true
		last = document
	}
	compare(t, name, last)
}

// labSlots bounds the labs that run at once. Each has its own network, but they share the processors.
var labSlots = make(chan struct{}, 6)

// attempts is how often a run is repeated that differs from its file: on a busy machine the timing of packets changes
// the result. With -update the document that came twice is written.
const attempts = 4

// TestLab records reports as JSON, and the exit statuses that go with them.
func TestLab(t *testing.T) {
	for _, r := range labRuns() {
		if !r.brief && !*whole {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.record(t, "lab -o json")
		})
	}
}

// TestLabTables records the tables.
func TestLabTables(t *testing.T) {
	for _, r := range []labRun{
		{name: "table-brief", arguments: "--fault push-at-zero --paths 2 --family IPv4", brief: true},
		{name: "table-everything", arguments: everyVariant + " --fault all-at-zero"},
		{name: "table-healthy", arguments: "--scenario Handshake --paths 2"},
		{name: "table-story", arguments: "--paths 2"},
		{name: "table-catalogue", arguments: "--catalogue --family IPv4"},
	} {
		if !r.brief && !*whole {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.record(t, "lab")
		})
	}
}

// TestRefusals records errors that come after the check of the privileges. None of these commands sends anything.
func TestRefusals(t *testing.T) {
	var document strings.Builder
	for _, line := range []string{
		"run 127.0.0.1:1 --paths 0", "run 127.0.0.1:1 --scenario Other", "run 127.0.0.1:1 --scenario SequenceWrap/Other",
		"run 127.0.0.1:1 --alpha 2", "run 127.0.0.1:1 --scenario AcceptQueue", "run 127.0.0.1:1 --scenario FinReorder",
		"run 127.0.0.1:1 --scenario FinReorder --trigger on-accept --gap 0", "run 127.0.0.1:1 --packets-per-second 1",
		"run 127.0.0.1:1 --scenario FinReorder --trigger other", "run 0.0.0.0:80", "run [ff02::1]:80", "run 224.0.0.1:80",
		"run 127.0.0.1:1 --source-interface eth99", "run 127.0.0.1:1 --pcap /no/such/folder/file",
		"lab --fault other", "lab --fault loss=200%", "lab --fault ecmp=4/9:push-at-zero", "lab --fault loss",
		"lab --fault push-at=x",
		"lab --campaign --pcap /dev/null", "lab --catalogue --fault loss=1%", "lab --runs 5", "lab --scenario Other",
		"lab --paths 0",
		"lab --campaign --runs 0", "lab --with push-at-zero", "lab switch --port eth99 --fault push-at-zero",
		"lab switch --port lo --fault other",
	} {
		document.WriteString(run(t, "tcpprobe", strings.Fields(line)...) + "\n")
	}
	compare(t, "lab/refusals.txt", apply(tableRules, document.String()))
}

// TestLabWhole runs last, and finds files that no test compares.
func TestLabWhole(t *testing.T) {
	if *whole {
		requireNoStaleFiles(t, "lab")
	}
}
