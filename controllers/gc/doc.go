// Package gc decides which plans and pods of ended runs are kept for people to inspect, and deletes the rest.
package gc
