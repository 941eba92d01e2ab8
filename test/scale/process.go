package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program that is killed when this program ends, however it ends.
type process struct {
	name    string
	log     string // file
	command *exec.Cmd
	ended   chan struct{}
}

// start runs a program whose output goes to a file of its name in the folder. It must be called on the main thread: the
// kernel kills the program when the thread that started it ends, and the main thread ends last.
func start(folder, name, program string, arguments ...string) (*process, error) {
	log, err := os.Create(filepath.Join(folder, name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{name: name, log: log.Name(), command: exec.Command(program, arguments...), ended: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = log, log
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.command.Wait()
	}()
	return p, nil
}

// alive is an error, with the end of the program's output, once it has ended.
func (p *process) alive() error {
	select {
	case <-p.ended:
		words, _ := os.ReadFile(p.log)
		return fmt.Errorf("%s has ended by itself: %v\n%s", p.name, p.command.ProcessState, words[max(0, len(words)-2000):])
	default:
		return nil
	}
}

// stop asks the program to end, and ends it if it takes too long.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// usage is what a program has used so far.
type usage struct {
	PeakBytes int64         // of resident memory
	Processor time.Duration // of all its threads
}

// usage reads /proc/PID/status and /proc/PID/stat, proc(5).
func (p *process) usage() (u usage, err error) {
	folder := fmt.Sprintf("/proc/%d", p.command.Process.Pid)
	status, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil {
		return u, err
	}
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return u, err
	}
	return parseUsage(string(status), string(stat))
}

const ticksPerSecond = 100 // USER_HZ, the same on every architecture that Kubernetes runs on

func parseUsage(status, stat string) (u usage, err error) {
	_, peak, found := strings.Cut(status, "VmHWM:")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]) // from field 3 on
	if !found || len(fields) < 13 {
		return u, errors.New("/proc does not say what the program takes; has it ended?")
	}
	kilobytes, err := strconv.ParseInt(strings.Fields(peak)[0], 10, 64)
	if err != nil {
		return u, err
	}
	u.PeakBytes = kilobytes << 10
	for _, ticks := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(ticks, 10, 64)
		if err != nil {
			return u, err
		}
		u.Processor += time.Duration(n) * time.Second / ticksPerSecond
	}
	return u, nil
}
