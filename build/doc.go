// Package build holds what building and checking the product needs, apart from its own dependencies: the test runner,
// helm and the boundary linter (tools of this module), golangci-lint (of the module golangci), the programs that write
// its image and its chart, and the tests of the rules between its packages and of the links in its documents.
package build
