package labcmd

import (
	"context"
	"errors"
	"os"

	"github.com/tcpprobe/tcpprobe/lab"
)

// testbed is a lab with running servers, and a worker on the client.
type testbed struct {
	*lab.Lab
	stop   func() error
	worker *worker
}

func openTestbed(ctx context.Context, o lab.Options, spill *os.File) (_ *testbed, err error) {
	s := &testbed{stop: func() error { return nil }}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.Lab, err = lab.New(ctx, o); err != nil {
		return nil, err
	}
	if s.stop, err = s.Server().Serve(); err != nil {
		return nil, err
	}
	s.worker, err = startWorker(ctx, s.Lab, spill)
	return s, err
}

func (s *testbed) close() error {
	var errs []error
	if s.worker != nil {
		errs = append(errs, s.worker.close())
	}
	errs = append(errs, s.stop())
	if s.Lab != nil {
		errs = append(errs, s.Lab.Close())
	}
	return errors.Join(errs...)
}
