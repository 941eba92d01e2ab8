// Package simulation is the random test of run lives: two managers at once, and everything that may go wrong between
// them and the API server, in virtual time. Each seed is another life. All of it is tests.
package simulation
