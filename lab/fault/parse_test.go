package fault

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Fault{
		"push-at-zero":            {Rule: &Rule{Flags: withAll(psh), Place: Starting, Share: 1}},
		"fin-push-rst-at-zero@in": {Direction: In, Rule: &Rule{Flags: withAny(fin | psh | rst), Place: Starting, Share: 1}},
		"every-push@out":          {Direction: Out, Rule: &Rule{Flags: withAll(psh), Share: 1}},
		"ack-at-zero":             {Rule: &Rule{Flags: 1 << ack, Place: Starting, Share: 1}},
		"no-flags":                {Rule: &Rule{Flags: 1, Share: 1}},
		"push-at=4294967295":      {Rule: &Rule{Flags: withAll(psh), Place: Starting, Number: 1<<32 - 1, Share: 1}},
		"push-at-multiples=65536": {Rule: &Rule{Flags: withAll(psh), Place: Multiples, Number: 65536, Share: 1}},
		"push-up-to=50":           {Rule: &Rule{Flags: withAll(psh), Place: UpTo, Number: 50, Share: 1}},
		"straddling-zero":         {Rule: &Rule{Flags: 1<<64 - 1, Place: Straddling, Share: 1}},
		"ack-number=7@out":        {Direction: Out, Rule: &Rule{Flags: withAll(ack), Place: Acking, Number: 7, Share: 1}},
		"ecmp=16/1:loss=1%@in":    {Direction: In, Rule: &Rule{Members: Members{Count: 16, Bad: 1}, Share: 0.01}},
		"ecmp=8/2/99:push-at-zero": {Rule: &Rule{Flags: withAll(psh), Place: Starting,
			Members: Members{Count: 8, Bad: 2, Seed: 99}, Share: 1}},
		"spray=16/3:everything": {Rule: &Rule{Members: Members{Count: 16, Bad: 3, Spray: true}, Share: 1}},
		"everything":            {Rule: &Rule{Share: 1}},
		"loss=0.5%":             {Rule: &Rule{Share: 0.005}},
		"loss=100%":             {Rule: &Rule{Share: 1}},
		"burst=5%/50ms":         {Rule: &Rule{Share: 0.05, Burst: 50 * time.Millisecond}},
		"delay=20ms":            {Impairment: &Impairment{Delay: 20 * time.Millisecond}},
		"delay=20ms/5ms@out": {Direction: Out, Impairment: &Impairment{Delay: 20 * time.Millisecond,
			Jitter: 5 * time.Millisecond}},
		"reorder=10%":            {Impairment: &Impairment{Reorder: 0.1, Gap: 2 * time.Millisecond}},
		"reorder=10%/500us":      {Impairment: &Impairment{Reorder: 0.1, Gap: 500 * time.Microsecond}},
		"duplicate=1%":           {Impairment: &Impairment{Duplicate: 0.01}},
		"delay-at-zero=300ms@in": {Direction: In, Impairment: &Impairment{AtZero: AtZero{Hold: 300 * time.Millisecond}}},
		"short-at-zero=50":       {Impairment: &Impairment{AtZero: AtZero{Shorter: 50}}},
		"long-at-zero=100":       {Impairment: &Impairment{AtZero: AtZero{Longer: 100}}},
		"wrap=range/1000":        {Impairment: &Impairment{Wrap: Wrap{WrapRange, 1000}}},
		"wrap=window@in":         {Direction: In, Impairment: &Impairment{Wrap: Wrap{Kind: WrapWindow}}},
		"in-flight-at-zero=drop": {Impairment: &Impairment{AtZero: AtZero{InFlight: true}}},
		"in-flight-at-zero=reset@in": {Direction: In,
			Impairment: &Impairment{AtZero: AtZero{InFlight: true, Reset: resetHopLimit}}},
		"in-flight-at-zero=20ms": {Impairment: &Impairment{AtZero: AtZero{InFlight: true, Hold: 20 * time.Millisecond}}},
		"drop-in-flight@out":     {Direction: Out, Impairment: &Impairment{DropsInFlight: true}},
		"first-at-zero=1":        {Impairment: &Impairment{AtZero: AtZero{First: 1}}},
	} {
		got, err := Parse(text)
		want.Name = text
		if want.Direction == "" {
			want.Direction = Both
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
}

// An error has the text of the fault, and shows how to write it.
func TestParseRefuses(t *testing.T) {
	for text, part := range map[string]string{
		"wrap=range":                    "want a sequence number",
		"wrap=range/x":                  "want a sequence number",
		"wrap=start/1":                  "only range takes a number",
		"wrap=all":                      "range/LAST, start",
		"":                              "push-at-zero, ",
		"push":                          "loss=P%",
		"push-at-zero=1%":               "is not one of",
		"loss":                          "is not one of",
		"loss=":                         "as in 5%",
		"loss=5":                        "as in 5%",
		"loss=0%":                       "from 0.001",
		"loss=101%":                     "to 100",
		"loss=NaN%":                     "to 100",
		"burst=5%":                      "as in 5%/50ms",
		"burst=100%/50ms":               "use everything",
		"burst=5%/0s":                   "as in 20ms",
		"delay=1h":                      "between 1us and 10s",
		"delay=20ms/":                   "as in 20ms",
		"reorder=10%/x":                 "as in 20ms",
		"push-at=":                      "from 0 to 4294967295",
		"delay-at-zero=300":             "as in 20ms",
		"short-at-zero=0":               "from 1 to 65535",
		"long-at-zero=70000":            "from 1 to 65535",
		"first-at-zero=":                "from 1 to 65535",
		"after-at-zero=0":               "from 1 to 65535",
		"every-at-zero=1":               "all-at-zero",
		"rate-at-zero=x":                "from 1 to 65535",
		"options-at-zero=some":          "with or without",
		"damage-at-zero=1":              "is not one of",
		"in-flight-at-zero":             "is not one of",
		"in-flight-at-zero=hold":        "want drop, reset, or a time",
		"in-flight-at-zero=1h":          "want drop, reset, or a time",
		"drop-in-flight=1":              "is not one of",
		"push-at=-1":                    "from 0 to 4294967295",
		"push-at=4294967296":            "from 0 to 4294967295",
		"push-at-multiples=1":           "2 or more",
		"push-up-to=x":                  "from 0 to 4294967295",
		"straddling-up-to=1":            "is not one of",
		"every-push=1":                  "is not one of",
		"ecmp=16:everything":            "as in ecmp=16/1:",
		"ecmp=16/1":                     "what they drop",
		"ecmp=1/1:everything":           "2 to 1024 members",
		"ecmp=16/0:everything":          "1 or more of them bad",
		"ecmp=16/17:everything":         "1 or more of them bad",
		"ecmp=16/1/x:everything":        "want a number",
		"ecmp=16/1:delay=1ms":           "can only drop",
		"ecmp=16/1:nothing":             "is not one of",
		"ecmp=4/1:spray=4/1:everything": "can only drop",
		"spray=16/1/7:everything":       "spray=16/1:",
		"everything@":                   "in or out",
		"everything@in@in":              "in or out",
		"everything@both":               "in or out",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v; want it named, and %q", text, err, part)
		}
	}
}

func TestParsesReportsEveryMistake(t *testing.T) {
	_, err := ParseAll([]string{"one", "push-at-zero", "two"})
	if err == nil || !strings.Contains(err.Error(), `"one"`) || !strings.Contains(err.Error(), `"two"`) {
		t.Errorf("got %v", err)
	}
}

// Every fault in Help can be parsed as it is written there, and Help has all faults.
func TestHelpIsWhatTheParserTakes(t *testing.T) {
	shown := map[string]bool{}
	lines := Help()
	for _, line := range lines[:len(lines)-1] {
		written := strings.Fields(line)[0]
		short, rest, _ := strings.Cut(written, "[")
		optional, end, _ := strings.Cut(rest, "]")
		for _, text := range []string{short + end, short + optional + end} {
			if _, err := Parse(text); err != nil {
				t.Error(err)
			}
		}
		name, _, _ := strings.Cut(short, "=")
		shown[name] = true
	}
	for _, k := range catalogue {
		if !shown[k.name] {
			t.Errorf("Help does not show %s", k.name)
		}
		anyNumberName, _ := k.anyNumberName()
		multiples, upTo, _ := k.alikeNames()
		// one example stands for all faults about other numbers
		shown[anyNumberName], shown[multiples], shown[upTo] = true, true, true
	}
	for name := range parameters() {
		if !shown[name] {
			t.Errorf("Help does not show %s", name)
		}
	}
}

// A fault that Parse accepts is valid: it has one kind, and every number is in its range.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"push-at-zero", "ecmp=16/1/7:push-at=1@in", "loss=5%@in", "burst=5%/50ms", "delay=20ms/5ms",
		"reorder=1e1%", "duplicate=0x1p-2%", "loss=-0%", "@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := Parse(text)
		if err != nil {
			return
		}
		if (fault.Rule == nil) == (fault.Impairment == nil) || fault.Name != text {
			t.Fatalf("%q: %+v", text, fault)
		}
		if !fault.Direction.Has(In) && !fault.Direction.Has(Out) {
			t.Errorf("%q has no direction", text)
		}
		if r := fault.Rule; r != nil && (!r.inRange() || !r.Members.inRange()) {
			t.Errorf("%q: %+v", text, *r)
		}
		if i := fault.Impairment; i != nil && !i.inRange() {
			t.Errorf("%q: %+v", text, *i)
		}
	})
}

func (r Rule) inRange() bool {
	return r.Share >= 0.9e-5 && r.Share <= 1 && r.Burst >= 0 && r.Burst <= longest && (r.Burst == 0 || r.Share < 1)
}

func (m Members) inRange() bool {
	return m == Members{} ||
		m.Count >= 2 && m.Count <= maxMembers && m.Bad >= 1 && m.Bad <= m.Count && !(m.Spray && m.Seed != 0)
}

func (i Impairment) inRange() bool {
	for _, d := range []time.Duration{i.Delay, i.Jitter, i.Gap, i.AtZero.Hold} {
		if d < 0 || d > longest {
			return false
		}
	}
	return i.Reorder >= 0 && i.Reorder <= 1 && i.Duplicate >= 0 && i.Duplicate <= 1
}
