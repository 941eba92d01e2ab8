// Package outcometest has outcomes for tests of what is made of them.
package outcometest
