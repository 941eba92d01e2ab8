package golden

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

var (
	update = flag.Bool("update", false, "write the documents instead of comparing with them")
	whole  = flag.Bool("whole", false, "every fault of the lab, which takes minutes")
)

// atEnd stops the servers that tests have started.
var atEnd []func()

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "40"); err != nil { // they mostly wait
		panic(err)
	}
	if limit := flag.Lookup("test.timeout").Value.(flag.Getter).Get().(time.Duration); limit > 0 {
		time.AfterFunc(limit*9/10, func() { exit(2) }) // before package testing panics and leaves servers running
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		exit(2)
	}()
	exit(m.Run())
}

func exit(code int) {
	for _, end := range atEnd {
		end()
	}
	fmt.Println(recorded.String())
	os.Exit(code)
}
