// Package metrics exports to Prometheus what this manager has done and what exists in the cluster.
package metrics
