package golden

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

var (
	update = flag.Bool("update", false, "write the documents instead of comparing with them")
	whole  = flag.Bool("whole", false, "every fault of the lab, which takes minutes")
)

// atEnd is what ends the servers that tests have started.
var atEnd []func()

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	for _, end := range atEnd {
		end()
	}
	fmt.Println(recorded.String())
	os.Exit(code)
}
