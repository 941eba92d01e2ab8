// Package limits bounds what all TCPProbes do together: how many probe pods there are at once and what these may send.
// It keeps the queue of runs that wait for room.
package limits
