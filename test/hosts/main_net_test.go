//go:build net

// Package hosts_test asks each scenario of hosts and devices with limits, rules and habits of their own, and compares
// with what is right.
package hosts_test

import (
	"os"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

var command labtest.Command

func TestMain(m *testing.M) { os.Exit(command.Main(m)) }
