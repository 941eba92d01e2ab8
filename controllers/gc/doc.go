// Package gc decides what of ended runs is kept for people to look into, and deletes the rest.
package gc
