// Package build holds what building and checking the product needs, apart from its own dependencies: the linters and test runner
// (tools of this module), the program that writes its image, and the test of the rules between its packages.
package build
