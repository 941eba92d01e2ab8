// Package metrics tells Prometheus what this manager has done and what stands in the cluster.
package metrics
