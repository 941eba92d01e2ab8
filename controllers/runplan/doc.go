// Package runplan decides a run: which source asks which targets what. The plan is kept in a ConfigMap, whose names,
// labels and keys are here too.
package runplan
