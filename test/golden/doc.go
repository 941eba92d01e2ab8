// Package golden records what users see of TCPProbe and compares it with files: help texts, manifests, chart, reports
// of the lab, statuses, plans, probe pods, events and metrics of the operator, and what a new manager makes of stored
// objects of an older one. It drives the built programs and knows the source by nothing else, so it can record any
// commit: see README.md.
package golden
