// Package runplan plans a run: which source asks which targets what. The plan is kept in a ConfigMap. The names,
// labels and keys of that are here too.
package runplan
