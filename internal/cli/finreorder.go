package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// DefaultGap is the time between FinReorder's overtaking ACK and the FIN, in milliseconds.
const DefaultGap = 20

// FinReorderFlags are the flags of FinReorder: what makes the peer close first, and the gap.
type FinReorderFlags struct {
	Trigger   string
	GapMillis int
}

func (c *FinReorderFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.Trigger, "trigger", "",
		`what makes the peer close first, for FinReorder: on-accept, send=TEXT (escapes as in --payload) or `+
			`http-get[=PATH]`)
	f.IntVar(&c.GapMillis, "gap", DefaultGap,
		fmt.Sprintf("milliseconds between FinReorder's overtaking ACK and the FIN: 1 to %d", plan.MaxGapMillis))
}

// parse parses --trigger.
func (c *FinReorderFlags) parse() (t plan.Trigger, err error) {
	kind, value, given := strings.Cut(c.Trigger, "=")
	switch {
	case kind == "on-accept" && !given:
		t.OnAccept = true
	case kind == "send" && value != "":
		if sent, err := payload.Decode(value); err != nil {
			return t, fmt.Errorf("--trigger send=%s: %w", value, err)
		} else if len(sent) > plan.MaxSend {
			return t, fmt.Errorf("--trigger sends %d bytes: want at most %d", len(sent), plan.MaxSend)
		}
		t.Send = value
	case kind == "http-get" && !given:
		t.HTTPGet = "/"
	case kind == "http-get" && strings.HasPrefix(value, "/"):
		t.HTTPGet = value
	default:
		return t, fmt.Errorf("--trigger %q: want on-accept, send=TEXT or http-get[=PATH], with a path that begins with /",
			c.Trigger)
	}
	return t, nil
}

// apply sets trigger and gap of the plan's FinReorder.
func (c *FinReorderFlags) apply(p *plan.Plan) error {
	asked := false
	for i := range p.Scenarios {
		if p.Scenarios[i].Type != "FinReorder" {
			continue
		}
		asked = true
		if c.Trigger == "" {
			return errors.New("--scenario FinReorder needs what makes the peer close first: add --trigger on-accept, " +
				"send=TEXT or http-get[=PATH]")
		}
		if c.GapMillis < 1 || c.GapMillis > plan.MaxGapMillis {
			return fmt.Errorf("--gap %d: want 1 to %d milliseconds", c.GapMillis, plan.MaxGapMillis)
		}
		t, err := c.parse()
		if err != nil {
			return err
		}
		p.Scenarios[i].FinReorder = &plan.FinReorder{Trigger: t, GapMillis: c.GapMillis}
	}
	if !asked && c.Trigger != "" {
		return errors.New("--trigger is about FinReorder: add --scenario FinReorder")
	}
	return nil
}
