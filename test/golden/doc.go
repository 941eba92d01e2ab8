// Package golden records what users see of TCPProbe and compares it with files: help texts, manifests, chart, reports
// of the lab, statuses, plans, probe pods, events and metrics of the operator, and what a new manager does with stored
// objects of an older one. It only runs the built programs and imports none of our packages, so it can record any
// commit: see README.md.
//
// Tests that need neither network namespaces nor an API server run without a build tag and with both tags (make
// golden), but not with one tag. So make test, whose stages have one tag or none, runs them once.
package golden
