package main

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestWorkerIsGivenTheSameOrder(t *testing.T) {
	want := order{plan: "/a b", source: "kn1", summary: "/c", guard: "clsact", until: time.Unix(12, 345)}
	args := want.workerArgs(want.until)
	if args[1] != workerCommand {
		t.Fatalf("arguments %q", args)
	}
	got, err := parseOrder(args[2:], true)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
}

func TestDefaultsAreThoseOfThePod(t *testing.T) {
	got, err := parseOrder([]string{"--source=kn1"}, false)
	want := order{plan: "/etc/tcpprobe/plan.json", source: "kn1", summary: "/dev/termination-log"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, order %+v", err, got)
	}
}

func TestWrongCommandLines(t *testing.T) {
	for line, says := range map[string]string{
		"":                         "--source is missing",
		"--source=kn1 extra":       `unknown argument "extra"`,
		"--source=kn1 --guard=xdp": "need tcx or clsact",
		"--source=kn1 --until=1":   "-until", // a worker's only
		"-h":                       "file with the plan",
	} {
		if _, err := parseOrder(strings.Fields(line), false); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v; want one that says %q", line, err, says)
		}
	}
	if _, err := parseOrder([]string{"--source=kn1", "--until=soon"}, true); err == nil {
		t.Error("a worker accepts a time that is none")
	}
}
