// Package golden records what users see of TCPProbe and compares it with files: help texts, manifests, chart, reports
// of the lab, statuses, plans, probe pods, events and metrics of the operator, and what a new manager makes of stored
// objects of an older one. It drives the built programs and knows the source by nothing else, so it can record any
// commit: see README.md.
//
// What needs neither network namespaces nor an API server is tested without a build tag, and again with both (make
// golden), but not with one of them: the stages of make test run it once.
package golden
