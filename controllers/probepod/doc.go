// Package probepod builds probe pods, keeps the record of a run's pods, and determines the outcome of each.
package probepod
