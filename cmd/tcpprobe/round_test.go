package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/probe/report"
)

func found(scenario string, v report.Verdict, r report.Reason) report.Report {
	return report.Report{LeakedFlows: 1, Results: []report.Result{{Scenario: scenario, Verdict: v, Reason: r}}}
}

func roundUnder(t *testing.T, fault string, reports ...report.Report) round {
	t.Helper()
	f, err := lab.ParseFault(fault)
	if err != nil {
		t.Fatal(err)
	}
	r := newRound(f)
	for _, one := range reports {
		r.add(one, 1)
	}
	return r
}

// A campaign fails on a verdict that is false, and only then: blaming sequence 0 under loss, acquitting
// it under a rule about it. What could not be established is not wrong.
func TestCampaignFailsOnFalseVerdicts(t *testing.T) {
	blamed := found("SequenceWrap", report.Fail, report.SequenceZeroDropped)
	acquitted := found("SequenceWrap", report.Pass, report.Delivered)
	unknown := found("SequenceWrap", report.Inconclusive, report.PathLossy)
	connected := found("Handshake", report.Pass, report.Established)
	for _, c := range []struct {
		fault string
		found []report.Report
		wrong int
	}{
		{"loss=5%", []report.Report{acquitted, unknown, connected}, 0},
		{"loss=5%", []report.Report{acquitted, blamed, blamed}, 2},
		{"every-push", []report.Report{blamed}, 1},
		{"push-at-zero@out", []report.Report{blamed}, 1},
		{"fin-urg-push-together-at-zero", []report.Report{blamed}, 1},
		{"push-at-zero", []report.Report{blamed, unknown, connected}, 0},
		{"push-at=1", []report.Report{blamed}, 1},
		{"ecmp=16/1:push-at-zero", []report.Report{blamed, acquitted}, 0},
		{"ecmp=16/1:loss=20%", []report.Report{blamed, acquitted}, 1},
		{"fin-push-rst-at-zero@in", []report.Report{blamed, acquitted}, 1},
	} {
		r := roundUnder(t, c.fault, c.found...)
		if r.Wrong != c.wrong || r.Runs != len(c.found) || r.LeakedFlows != len(c.found) {
			t.Errorf("%s: %+v, want %d wrong", c.fault, r, c.wrong)
		}
		if failed := judge([]round{{}, r}) != nil; failed != (c.wrong > 0) {
			t.Errorf("%s: the campaign failed: %v", c.fault, failed)
		}
	}
}

func TestVerdictsAreCounted(t *testing.T) {
	pass := found("SequenceWrap", report.Pass, report.Delivered)
	hello := found("Handshake", report.Pass, report.Established)
	r := roundUnder(t, "loss=1%", pass, hello, pass)
	want := []verdictCount{{"Handshake", report.Pass, report.Established, 1}, {"SequenceWrap", report.Pass, report.Delivered, 2}}
	if !slices.Equal(r.Verdicts, want) {
		t.Errorf("%v, want %v", r.Verdicts, want)
	}
	var people, programs bytes.Buffer
	if err := writeRounds(&people, []round{r}, table); err != nil {
		t.Error(err)
	}
	if !strings.Contains(people.String(), "SequenceWrap  Pass     Delivered    2") {
		t.Errorf("the table is\n%s", people.String())
	}
	if err := writeRounds(&programs, []round{r}, asJSON); err != nil {
		t.Error(err)
	}
	var back struct{ Rounds []round }
	if err := json.Unmarshal(programs.Bytes(), &back); err != nil || !slices.Equal(back.Rounds[0].Verdicts, want) {
		t.Errorf("%v: %s", err, programs.String())
	}
}
