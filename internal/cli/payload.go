package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpprobe/tcpprobe/probe/payload"
	"github.com/tcpprobe/tcpprobe/probe/plan"
)

// payloadFlags are the flags that say what the connections carry; none: the scenario's own.
type payloadFlags struct {
	payload string
	preset  string
}

func (q *payloadFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&q.payload, "payload", "", "what the connections carry instead of an unfinished request, repeated as "+
		"needed: the beginning of what the target waits for; escapes: "+payload.Escapes)
	f.StringVar(&q.preset, "payload-preset", "", "what the connections carry, by the target's protocol: "+presets())
}

func presets() string { return strings.Join(payload.Names(), ", ") }

// apply sets the payload of the plan's scenarios.
func (q *payloadFlags) apply(p *plan.Plan) error {
	sent, err := payload.Decode(q.payload)
	_, known := payload.Named(q.preset)
	switch {
	case err != nil:
		return fmt.Errorf("--payload %s: %w", q.payload, err)
	case len(sent) > plan.MaxPayload:
		return fmt.Errorf("--payload of %d bytes: want at most %d", len(sent), plan.MaxPayload)
	case q.payload != "" && q.preset != "":
		return errors.New("--payload and --payload-preset: want one of them")
	case q.preset != "" && !known:
		return fmt.Errorf("--payload-preset %s: want one of %s", q.preset, presets())
	}
	for i := range p.Scenarios {
		p.Scenarios[i].Payload, p.Scenarios[i].PayloadPreset = q.payload, q.preset
	}
	return nil
}
