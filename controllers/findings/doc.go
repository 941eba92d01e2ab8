// Package findings aggregates the outcomes of a run: it counts pairs by verdict, finds what answers that did not pass
// have in common and where the cause is, and writes the findings' messages.
package findings
