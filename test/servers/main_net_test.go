//go:build net

package servers_test

import (
	"os"
	"testing"

	"github.com/tcpprobe/tcpprobe/lab/labtest"
)

var command labtest.Command

func TestMain(m *testing.M) { os.Exit(command.Main(m)) }
