// Package build has what building and checking the product needs, with dependencies of its own: the test runner, helm
// and the boundary linter (tools of this module), golangci-lint (of the module golangci), govulncheck (of the
// module vulncheck), the programs that write the image, the chart and a release, and the tests of the imports between
// packages and of the links in documents.
package build
