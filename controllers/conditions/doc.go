// Package conditions turns what is known of a TCPProbe into its status: the four conditions, a run's beginning and end,
// and the events about what changed.
package conditions
