// Package limits bounds what all TCPProbes do together: how many probe pods exist at once and how much they may send.
// It orders the queue of runs that wait for room.
package limits
