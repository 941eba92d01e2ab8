//go:build net

package run_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// postgres serves with Debian's PostgreSQL, with ssl on or off, and returns the file of its log.
func (s *site) postgres(at netip.AddrPort, ssl string) (log string) {
	s.t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		s.t.Fatalf("no PostgreSQL (%v): run test/setup.sh", err)
	}
	home, err := os.MkdirTemp("", "tcpprobe") // a short path: it has a socket too
	must(s.t, err)
	s.t.Cleanup(func() { os.RemoveAll(home) })
	must(s.t, os.Chmod(home, 0o711))
	data := filepath.Join(home, "data")
	s.prepare("install", "--directory", "--owner=postgres", "--mode=700", data)
	s.prepare("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
		filepath.Join(found[0], "initdb"), "--no-sync", "--pgdata", data)
	s.certificate(data)
	s.serve(at, "setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", filepath.Join(found[0], "postgres"),
		"-D", data, "-c", "listen_addresses="+at.Addr().String(), "-c", "port="+strconv.Itoa(int(at.Port())),
		"-c", "unix_socket_directories="+data, "-c", "ssl="+ssl,
		"-c", "logging_collector=on", "-c", "log_directory="+data, "-c", "log_filename=log")
	return filepath.Join(data, "log")
}

// awaitLine waits until a file has the text.
func (s *site) awaitLine(file, text string) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		content, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(content), text) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no %q in %s: %v\n%s", text, file, err, content)
		}
	}
}

// prepare runs a command before the server.
func (s *site) prepare(name string, args ...string) {
	s.t.Helper()
	if out, err := exec.CommandContext(s.t.Context(), name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// certificate writes server.crt and server.key, for PostgreSQL's user.
func (s *site) certificate(folder string) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(s.t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(s.t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(s.t, err)
	for name, block := range map[string]*pem.Block{"server.crt": {Type: "CERTIFICATE", Bytes: signed},
		"server.key": {Type: "PRIVATE KEY", Bytes: private}} {
		file := filepath.Join(folder, name)
		must(s.t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
		s.prepare("chown", "postgres:postgres", file)
	}
}
