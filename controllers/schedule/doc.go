// Package schedule knows when a TCPProbe runs: the IDs by which a run is told from another, the slots of recurring
// runs, and the record of their health.
package schedule
