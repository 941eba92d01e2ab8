//go:build net

package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/internal/cli"
	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// frame is a packet as tshark shows it. Sequence numbers are raw.
type frame struct {
	number, stream string
	seq, ack       uint32
	length         uint32 // length of the payload
	acks           string // number of the frame that this one acknowledges
	sacked         uint32 // left edge of the first SACK block
	direction      string
	comment        string
}

// sent reports whether the frame was sent with the given part.
func (f frame) sent(part string) bool { return strings.HasSuffix(f.comment, ", sent: "+part) }

func (f frame) received() bool { return strings.HasSuffix(f.comment, ", received") }

// tshark runs tshark on a file. It fails the test if tshark prints a complaint.
func tshark(t *testing.T, file string, args ...string) string {
	t.Helper()
	r := finish(t, exec.Command("tshark", append([]string{"-r", file, "-o", "tcp.relative_sequence_numbers:false"},
		args...)...), (*exec.Cmd).Run)
	complaint := strings.TrimSpace(strings.ReplaceAll(r.stderr,
		`Running as user "root" and group "root". This could be dangerous.`, ""))
	if r.status != 0 || complaint != "" {
		t.Fatalf("tshark %v: status %d, %s", args, r.status, complaint)
	}
	return r.stdout
}

// frames reads a capture with tshark.
func frames(t *testing.T, file string) (out []frame) {
	t.Helper()
	for _, bad := range []string{tshark(t, file, "-q", "-z", "expert,error"), tshark(t, file, "-Y", "_ws.malformed")} {
		if strings.TrimSpace(bad) != "" {
			t.Errorf("tshark finds faults:\n%s", bad)
		}
	}
	if r := finish(t, exec.Command("capinfos", "-t", "-o", file), (*exec.Cmd).Run); r.status != 0 ||
		!strings.Contains(r.stdout, "pcapng") || !strings.Contains(r.stdout, "Strict time order:   True") {
		t.Errorf("capinfos: %+v", r)
	}
	args := []string{"-T", "fields", "-E", "occurrence=f"}
	for _, field := range []string{"frame.number", "tcp.stream", "tcp.seq_raw", "tcp.ack_raw", "tcp.len",
		"tcp.analysis.acks_frame", "tcp.options.sack_le", "frame.packet_flags_direction", "frame.comment"} {
		args = append(args, "-e", field)
	}
	for line := range strings.Lines(tshark(t, file, args...)) {
		w := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		out = append(out, frame{w[0], w[1], number(t, w[2]), number(t, w[3]), number(t, w[4]), w[5],
			number(t, w[6]), w[7], w[8]})
	}
	return out
}

func number(t *testing.T, s string) uint32 {
	t.Helper()
	if s == "" {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

// sectionComment returns the comment of a capture.
func sectionComment(t *testing.T, file string) string {
	t.Helper()
	r := finish(t, exec.Command("capinfos", "-k", "-M", file), (*exec.Cmd).Run)
	if r.status != 0 {
		t.Fatalf("capinfos: %+v", r)
	}
	return r.stdout
}

// streams groups frames by connection. Connections without a suspect, which ask about other numbers, are left out.
func streams(all []frame) map[string][]frame {
	out := map[string][]frame{}
	for _, f := range all {
		out[f.stream] = append(out[f.stream], f)
	}
	maps.DeleteFunc(out, func(_ string, flow []frame) bool {
		return !slices.ContainsFunc(flow, func(f frame) bool { return f.sent("suspect") })
	})
	return out
}

// showsDropped checks that tshark agrees that the path drops the segment at 0 of one connection: it is sent again and
// again, with other lengths, nothing acknowledges it before the heal, and a SACK names what was sent beyond it.
func showsDropped(t *testing.T, flow []frame) {
	t.Helper()
	suspects, witnessed, healed := 0, false, false
	var beyond uint32
	for _, f := range flow {
		switch {
		case f.sent("suspect"):
			if suspects++; f.seq != 0 || f.length == 0 {
				t.Errorf("suspect %d: %+v", suspects, f)
			}
		case f.sent("witness"):
			beyond = f.seq
		case f.received() && suspects > 0 && !healed:
			if f.ack-1 < 1<<31 { // the control ends just before 0
				t.Errorf("before healing frame %s acknowledges %d", f.number, f.ack)
			}
			witnessed = witnessed || beyond > 0 && f.sacked == beyond
		}
		healed = healed || f.sent("heal")
	}
	if suspects < 2 || !witnessed || !healed {
		t.Errorf("%d suspects, witnessed %v, healed %v", suspects, witnessed, healed)
	}
}

// showsDelivered checks that tshark agrees that the segment at 0 arrives: it finds the acknowledgement.
func showsDelivered(t *testing.T, flow []frame) {
	t.Helper()
	at := slices.IndexFunc(flow, func(f frame) bool { return f.sent("suspect") })
	if at < 0 || flow[at].seq != 0 {
		t.Fatalf("no suspect at 0 in %+v", flow)
	}
	suspect := flow[at]
	if !slices.ContainsFunc(flow, func(f frame) bool {
		return f.received() && f.acks == suspect.number &&
			f.ack == suspect.length
	}) {
		t.Errorf("tshark finds no acknowledgement of the suspect in %+v", flow)
	}
}

// The verdict agrees with what another program finds in the packets.
func TestPcapAgreesWithTheVerdict(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	for _, c := range []struct {
		faults      []string
		status      int
		says        string
		connections int // a failure is followed up by one more
		shows       func(*testing.T, []frame)
	}{
		{nil, cli.ExitPass, "Pass/Delivered: SequenceWrap/Push to ", 2, showsDelivered},
		{[]string{"push-at-zero"}, cli.ExitFail, "Fail/SequenceZeroDropped: SequenceWrap/Push to ", 3, showsDropped},
	} {
		stop := labtest.Inject(t, s, c.faults...)
		for _, f := range lab.Families {
			file := filepath.Join(t.TempDir(), "run.pcapng")
			r := runFrom(t, s, s.Target(f, lab.Echo).String(), "--scenario", "SequenceWrap/Push", "--pcap", file)
			if r.status != c.status {
				t.Fatalf("%s: %+v", f, r)
			}
			if says := sectionComment(t, file); !strings.Contains(says, c.says) {
				t.Errorf("%s: the file says %q, want %q", f, says, c.says)
			}
			all := frames(t, file)
			flows := streams(all)
			if len(flows) < c.connections { // more where an answer was late on a busy machine
				t.Errorf("%s: %d connections, want %d", f, len(flows), c.connections)
			}
			for _, stream := range []string{"0", "1"} {
				c.shows(t, flows[stream])
			}
			checkComments(t, all)
		}
		stop()
	}
}

// checkComments compares each frame's comment with its direction in tshark.
func checkComments(t *testing.T, all []frame) {
	t.Helper()
	for i, f := range all {
		out := strings.Contains(f.comment, ", sent: ")
		if out == f.received() || out != (f.direction == "0x00000002") ||
			!strings.Contains(f.comment, " of SequenceWrap/Push") {
			t.Errorf("frame %d: direction %s, comment %q", i+1, f.direction, f.comment)
		}
	}
}

// A report has a capture of its finding, and tshark finds the same there.
func TestReportCarriesWhatShowsTheFinding(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	dir := t.TempDir()
	for _, fault := range []string{"", "push-at-zero"} {
		stop := labtest.Inject(t, s, strings.Fields(fault)...)
		r := runFrom(t, s, s.Target(lab.IPv4, lab.Echo).String(), "-o", "json", "--scenario", "SequenceWrap/Push")
		stop()
		written, file := filepath.Join(dir, "report"+fault+".json"), filepath.Join(dir, "finding"+fault+".pcapng")
		if err := os.WriteFile(written, []byte(r.stdout), 0o600); err != nil {
			t.Fatal(err)
		}
		shown := finish(t, exec.Command("/proc/self/exe", "report", written, "--pcap", file), (*exec.Cmd).Run)
		if n := len(read(t, r).Capture); n > report.MaxCapture {
			t.Errorf("a capture of %d bytes", n)
		}
		if fault == "" {
			if shown.status != cli.ExitUnable || !strings.Contains(shown.stderr, "no capture") {
				t.Errorf("of a run that passed: %+v", shown)
			}
			continue
		}
		if shown.status != cli.ExitFail || !strings.Contains(shown.stdout, "SequenceZeroDropped") {
			t.Errorf("%+v", shown)
		}
		flows := streams(frames(t, file))
		if len(flows) != 1 {
			t.Errorf("%d connections, want one", len(flows))
		}
		for _, flow := range flows {
			showsDropped(t, flow)
		}
		if says := sectionComment(t, file); !strings.Contains(says, "Fail/SequenceZeroDropped: SequenceWrap/Push") {
			t.Errorf("the file says %q", says)
		}
	}
}

// The demo's capture has both probes: in the first the segment arrives, in the second it does not.
func TestLabPcap(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "lab.pcapng")
	r := finish(t, exec.Command("/proc/self/exe", "lab", "--paths", "1", "--family", "IPv4", "--scenario",
		"SequenceWrap/Push", "--pcap", file), (*exec.Cmd).Run)
	if r.status != cli.ExitPass {
		t.Fatalf("%+v", r)
	}
	flows := streams(frames(t, file))
	if len(flows) != 3 { // the failure is followed up
		t.Fatalf("%d connections, want 3", len(flows))
	}
	showsDelivered(t, flows["0"])
	showsDropped(t, flows["1"])
	says := sectionComment(t, file)
	if pass, fail := strings.Index(says, "Pass/Delivered"), strings.Index(says, "Fail/SequenceZeroDropped"); pass < 0 ||
		fail < pass {
		t.Errorf("the file says %q", says)
	}
}

// If the capture's file cannot be written, the command refuses before anything is sent. If a run is killed, an older
// file stays.
func TestPcapIsRefusedOrWhole(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	dir := t.TempDir()
	for _, name := range []string{dir, filepath.Join(dir, "none", "run.pcapng"), "/dev/null"} {
		for _, command := range [][]string{{"run", s.Target(lab.IPv4, lab.Echo).String(), "--pcap", name},
			{"lab", "--pcap", name}} {
			r := finish(t, exec.Command("/proc/self/exe", command...), s.Client().Run)
			if r.status != cli.ExitUnable || r.stdout != "" || !strings.Contains(r.stderr, "capture to "+name) {
				t.Errorf("%v: %+v", command, r)
			}
		}
	}
	campaign := finish(t, exec.Command("/proc/self/exe", "lab", "--campaign", "--pcap", filepath.Join(dir, "x")),
		(*exec.Cmd).Run)
	if campaign.status != cli.ExitUnable || !strings.Contains(campaign.stderr, "--campaign") {
		t.Errorf("a capture of a campaign: %+v", campaign)
	}
	file := filepath.Join(dir, "run.pcapng")
	if err := os.WriteFile(file, []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := slow(t, s, lab.IPv4, "--pcap", file)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if b, err := os.ReadFile(file); err != nil || string(b) != "older" {
		t.Errorf("after SIGKILL: %q, %v", b, err)
	}
	if found, err := os.ReadDir(dir); err != nil || len(found) != 1 {
		t.Errorf("after SIGKILL: %v, %v", found, err)
	}
}
