// Command init is the first process of a guest: it brings the network up, starts the lab's reference servers and
// answers questions on the console, or it runs tests.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/tcpprobe/tcpprobe/lab"
	"github.com/tcpprobe/tcpprobe/test/guest"
)

const device = "eth0"

func main() {
	fmt.Println(guest.Said+"failed:", run())
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART) // this ends qemu, which runs with -no-reboot
}

// run returns only when it failed.
func run() error {
	mounted := errors.Join(
		mount("proc", "/proc"), mount("sysfs", "/sys"), mount("devtmpfs", "/dev"), mount("tmpfs", "/tmp"))
	if mounted != nil {
		return mounted
	}
	if err := loadModules(); err != nil {
		return err
	}
	if programs, err := filepath.Glob(guest.Tests + "/*"); err != nil || len(programs) > 0 {
		return errors.Join(err, test(programs))
	}
	if err := connect(); err != nil {
		return err
	}
	here, err := lab.Own()
	if err != nil {
		return err
	}
	if _, err := here.Serve(); err != nil {
		return err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	ready := guest.Ready{
		Release: unix.ByteSliceToString(name.Release[:]), Version: unix.ByteSliceToString(name.Version[:]),
	}
	if err := say(ready); err != nil {
		return err
	}
	return answer(here)
}

func mount(kind, on string) error {
	if err := errors.Join(os.MkdirAll(on, 0o755), unix.Mount(kind, on, kind, 0, "")); err != nil {
		return fmt.Errorf("mounting %s: %w", on, err)
	}
	return nil
}

// test runs the test programs, on the console.
func test(programs []string) error {
	var ended guest.Tested
	for _, name := range programs {
		program := exec.Command(name, "-test.v", "-test.run", os.Getenv(filepath.Base(name)))
		program.Dir, program.Stdout, program.Stderr = "/tmp", os.Stdout, os.Stdout
		if err := program.Run(); err != nil {
			ended.Error += fmt.Sprintf("%s: %s. ", filepath.Base(name), err)
		}
	}
	if err := say(ended); err != nil {
		return err
	}
	return errors.New("done")
}

// loadModules loads them in the order of their names.
func loadModules() error {
	files, err := filepath.Glob("/modules/*.ko")
	if err != nil {
		return err
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		if err := errors.Join(unix.FinitModule(int(f.Fd()), "", 0), f.Close()); err != nil {
			return fmt.Errorf("loading %s: %w", file, err)
		}
	}
	return nil
}

// connect gives the device its addresses and adds the test's as neighbours.
func connect() error {
	link, err := awaitDevice()
	if err != nil {
		return err
	}
	if err := errors.Join(up("lo"), netlink.LinkSetUp(link)); err != nil {
		return fmt.Errorf("setting devices up: %w", err)
	}
	for family, own := range guest.GuestAddr {
		if err := errors.Join(address(link, own), neighbour(link, guest.TestAddr[family])); err != nil {
			return fmt.Errorf("configuring %s: %w", family, err)
		}
	}
	return nil
}

// awaitDevice waits for the kernel to have found the network card.
func awaitDevice() (link netlink.Link, err error) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if link, err = netlink.LinkByName(device); err == nil {
			return link, nil
		}
	}
	return nil, fmt.Errorf("no %s: %w", device, err)
}

func up(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(link)
}

// address gives the device an address, without duplicate address detection.
func address(link netlink.Link, a netip.Addr) error {
	bits := a.BitLen() / 4 * 3 // /24 and /96
	network := &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(bits, a.BitLen())}
	return netlink.AddrAdd(link, &netlink.Addr{IPNet: network, Flags: unix.IFA_F_NODAD})
}

func neighbour(link netlink.Link, a netip.Addr) error {
	return netlink.NeighSet(&netlink.Neigh{
		LinkIndex: link.Attrs().Index, IP: a.AsSlice(), HardwareAddr: guest.TestMAC, State: netlink.NUD_PERMANENT,
	})
}

// answer answers questions until the console is gone.
func answer(here *lab.Namespace) error {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() != guest.Sockets {
			continue
		}
		all := map[string]int{}
		for _, peer := range guest.TestAddr {
			count, err := here.Sockets(peer)
			if err != nil {
				return err
			}
			for state, n := range count {
				all[state] += n
			}
		}
		if err := say(all); err != nil {
			return err
		}
	}
	return errors.New("the console is gone")
}

func say(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s%s\n", guest.Said, text)
	return err
}
