// Package findings puts the outcomes of a run together: it counts pairs by verdict, finds what answers that did not
// pass have in common and where that lies, and words it.
package findings
