// Package build holds what building and checking the product needs, apart from its own dependencies: the linters, test runner and helm
// (tools of this module), the programs that write its image and its chart, and the test of the rules between its packages.
package build
