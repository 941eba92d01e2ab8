// Package controllertest has fixtures for the tests of all controllers: objects, and reports of probers.
package controllertest
