//go:build net

package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/lab/labtest"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

// dropAtServer makes the server's firewall drop what matches, given for IPv4.
func dropAtServer(t *testing.T, s *lab.Lab, matches string) {
	t.Helper()
	const rules = "add table inet claims; flush table inet claims; " +
		"add chain inet claims c { type filter hook prerouting priority -300; }; add rule inet claims c %s drop"
	if out, err := inServer(s, "nft", fmt.Sprintf(rules, matches)); err != nil {
		t.Fatalf("nft: %v %s (run test/setup.sh)", err, out)
	}
}

func inServer(s *lab.Lab, name string, args ...string) (string, error) {
	var out strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := s.Server().Run(cmd)
	return out.String(), err
}

// wrapsTo runs SequenceWrap with these variants to the echo server.
func wrapsTo(t *testing.T, s *lab.Lab, paths string, variants ...string) []report.Result {
	t.Helper()
	args := []string{s.Target(lab.IPv4, lab.Echo).String(), "-o", "json", "--paths", paths, "--packets-per-second", "2000"}
	for _, v := range variants {
		args = append(args, "--scenario", "SequenceWrap/"+v)
	}
	return read(t, runFrom(t, s, args...)).Results
}

// A device drops all data at 0, whatever its flags, and nothing else. Few variants leave several rules open, and then
// none is named. All of them show that it is no rule of the table.
func TestRuleIsNotNamedByFewVariants(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	dropAtServer(t, s, "tcp sequence 0 ip length > 40")
	for _, c := range []struct {
		variants []string
		says     string
	}{
		{[]string{"Push", "Data"}, "these fit: AnyFlagsAtZero, EverythingAtZero, or another by flags or length; " +
			"ask also Ack, Syn, FinUrgPush, Null: tcpprobe run … --scenario SequenceWrap/all"},
		{[]string{"Push", "Fin"}, "these fit: PushAtZero, or another by flags or length; ask also Data, Reset, Syn, " +
			"FinUrgPush: tcpprobe run … --scenario SequenceWrap/all"},
		{[]string{"all"}, ""},
	} {
		failed := 0
		for _, r := range wrapsTo(t, s, "2", c.variants...) {
			if r.Rule != "" || strings.Contains(r.Message, "known from") {
				t.Errorf("%v, %s: the rule is %q: %s", c.variants, r.Variant, r.Rule, r.Message)
			}
			if r.Verdict != report.Fail {
				continue
			}
			failed++
			if !strings.Contains(r.Message, c.says) || c.says == "" && strings.Contains(r.Message, "these fit") {
				t.Errorf("%v, %s: %s", c.variants, r.Variant, r.Message)
			}
		}
		if failed == 0 {
			t.Errorf("%v: nothing failed", c.variants)
		}
	}
	labtest.ExpectNothingLeft(t, s)
}

// What length, chance or a limit decides is no share of paths.
func TestShareIsOnlyOfPaths(t *testing.T) {
	t.Parallel()
	s := labtest.New(t, lab.Options{})
	const push = "tcp sequence 0 tcp flags & psh == psh "
	for _, matches := range []string{
		push + "ip length > 140",
		push + "numgen random mod 10 < 9",
		push + "limit rate over 20/second burst 5 packets",
	} {
		dropAtServer(t, s, matches)
		for _, r := range wrapsTo(t, s, "16", "Push") {
			t.Logf("%s: %s/%s, %+v: %s", matches, r.Verdict, r.Reason, r.Flows, r.Message)
			if r.Verdict == report.Pass {
				t.Errorf("%s: nothing was found", matches)
			}
			if p := r.Share; p != nil && p.Failed > 0 && p.Failed < r.Flows.Tried {
				t.Errorf("%s: a share of %+v: %s", matches, p, r.Message)
			}
			if r.Flows.Fail < r.Flows.Tried && strings.Contains(r.Message, "paths (") ||
				strings.Contains(r.Message, "paths tried") && r.Flows.Fail < r.Flows.Tried {
				t.Errorf("%s: %s", matches, r.Message)
			}
		}
	}
	labtest.ExpectNothingLeft(t, s)
}
