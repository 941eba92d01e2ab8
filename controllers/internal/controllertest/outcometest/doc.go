// Package outcometest builds outcomes for the tests of packages that use them.
package outcometest
