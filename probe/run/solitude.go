package run

import "context"

// solitude lets one flow of a check run without the others. Each open flow holds a token, and one that is alone holds
// all.
type solitude struct {
	tokens chan struct{}
	turn   chan struct{} // held by the flow that collects all tokens
	failed int           // flows that failed alone as well; guarded by turn
}

// newSolitude is for at most so many flows that are open at once.
func newSolitude(flows int) *solitude {
	return &solitude{tokens: make(chan struct{}, flows), turn: make(chan struct{}, 1)}
}

// enoughFailures is how many flows must fail alone as well before no more are asked.
const enoughFailures = 3

// begin waits until no flow is alone.
func (s *solitude) begin() { s.tokens <- struct{}{} }

func (s *solitude) end() { <-s.tokens }

// alone calls ask while no other flow of the check is open.
func (s *solitude) alone(ctx context.Context, o *openings, ask func() bool) bool {
	s.end()
	defer s.begin()
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	for range cap(s.tokens) {
		s.begin()
	}
	defer func() {
		for range cap(s.tokens) {
			s.end()
		}
	}()
	if s.failed >= enoughFailures || !o.anyProven() || ctx.Err() != nil {
		return false
	}
	if !ask() {
		s.failed++
	}
	return true
}
