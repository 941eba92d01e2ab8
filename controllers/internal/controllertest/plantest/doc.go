// Package plantest has plans for tests of what is built on them.
package plantest
