// Package probepod knows probe pods: how one is made, what is on record about those of a run, and what became of each.
package probepod
