package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
)

// golden returns the bytes of testdata/plan.json.
func golden(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// example returns the decoded plan of testdata/plan.json.
func example(t testing.TB) *Plan {
	t.Helper()
	p, err := Decode(golden(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDecodeReadsEveryMember(t *testing.T) {
	want := &Plan{
		APIVersion: APIVersion, Run: "5f0c1b7e9a24", Probe: "shop/payments",
		Targets: []Target{
			{netip.MustParseAddr("10.244.2.7"), 8080, "PodIP", "pay-6d4f-x2x7q", "kn2"},
			{netip.MustParseAddr("fd00:10:244:3::9"), 8080, "PodIP", "pay-6d4f-9kzlm", "kn3"},
		},
		Sources: map[string][]int{"kn1": {0, 1}, "kn2": {1}},
		Scenarios: []Scenario{
			{Type: "Handshake"},
			{Name: "wrap", Type: "SequenceWrap", Variants: []string{"Push", "Fin"}, Payload: "GET /healthz"},
		},
		Paths: 16, PacketsPerSecond: 200, DeadlineSeconds: 50, Alpha: 0.001,
	}
	if got := example(t); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestPlanSurvivesItsOwnEncoding(t *testing.T) {
	p := example(t)
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(b)
	if err != nil || !reflect.DeepEqual(again, p) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, again, p)
	}
}

func TestDecodeRefuses(t *testing.T) {
	whole := string(golden(t))
	for name, text := range map[string]string{
		"nothing":           "",
		"null":              "null",
		"another document":  `[]`,
		"a cut document":    whole[:len(whole)-3],
		"a second document": whole + "{}",
		"an unknown member": strings.Replace(whole, `"paths"`, `"evade": true, "paths"`, 1),
		"a name as address": strings.Replace(whole, "10.244.2.7", "pay.shop.svc", 1),
		"a port too large":  strings.Replace(whole, "8080", "70000", 1),
		"a huge document":   whole + strings.Repeat(" ", MaxSize),
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := Decode([]byte(text)); !errors.Is(err, ErrInvalid) || p != nil {
				t.Errorf("plan %+v, error %v", p, err)
			}
		})
	}
}

func TestDecodeAcceptsTheLargestDocument(t *testing.T) {
	b := golden(t)
	b = append(b, bytes.Repeat([]byte(" "), MaxSize-len(b))...)
	if _, err := Decode(b); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(golden(f))
	f.Add([]byte(`{"apiVersion":"plan.tcpprobe.dev/v1alpha1","targets":[{"address":"fe80::1%eth0"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%v does not wrap ErrInvalid", err)
			}
			return
		}
		if p.Validate() != nil {
			return
		}
		for node, positions := range p.Sources {
			if n := len(positions) * len(p.Checks()); n > MaxVerdicts {
				t.Errorf("source %s has %d verdicts", node, n)
			}
			for _, i := range positions {
				if _, no := Denied(p.Targets[i].Address); no || !p.Allows(p.Targets[i].AddrPort()) {
					t.Errorf("a valid plan sends %s to %+v", node, p.Targets[i])
				}
			}
		}
	})
}
