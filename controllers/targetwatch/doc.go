// Package targetwatch keeps running probe pods tied to their targets. It reads the targets again every few seconds, and
// deletes the pods whose target has changed: its pod was replaced or has another address, is not Ready, does not match
// the Service's selector, or somebody withdrew a consent. The reconciler says which pods run, and records why they
// were ended.
//
// It reads live, object by object: the manager caches nothing of tenants, and a slice's word would prove nothing. All
// intervals are measured by the manager's monotonic clock, so no other clock matters, nor that this one is set.
package targetwatch
