// Package conditions writes what is known of a TCPProbe into its status: the four conditions, the start and the end of
// a run, and the events about changes.
package conditions
