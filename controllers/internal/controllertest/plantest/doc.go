// Package plantest builds plans for the tests of packages that use them.
package plantest
