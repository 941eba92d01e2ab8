// Package schedule decides when a TCPProbe runs. It has the IDs of runs, the slots of recurring runs, and the record
// of their health.
package schedule
