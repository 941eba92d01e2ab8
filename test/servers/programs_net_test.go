//go:build net

package servers_test

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// What each server's test changes is in its command line or its file; all else is at its defaults.

// nginx: Debian's nginx.conf without its includes of sites and modules. Changed: folders, address, port.
func nginx(s *site) {
	conf := s.file("nginx.conf", fmt.Sprintf(`user www-data; worker_processes auto; pid %[1]s/pid; daemon off;
error_log %[1]s/log;
events { worker_connections 768; }
http {
	sendfile on; tcp_nopush on; types_hash_max_size 2048; default_type application/octet-stream; gzip on;
	access_log %[1]s/log;
	client_body_temp_path %[1]s/1; proxy_temp_path %[1]s/2; fastcgi_temp_path %[1]s/3;
	uwsgi_temp_path %[1]s/4; scgi_temp_path %[1]s/5;
	server { listen %[2]s default_server; root %[1]s; }
}
`, s.home, s.at))
	s.serve("exec nginx -p " + s.home + " -c " + conf)
}

// haproxy: the section "defaults" of Debian's haproxy.cfg. Changed: address, port, where it logs; it answers 200 by
// itself.
func haproxy(s *site) {
	conf := s.file("haproxy.cfg", fmt.Sprintf(`global
	log stderr format raw local0
defaults
	log global
	mode http
	option httplog
	option dontlognull
	timeout connect 5000
	timeout client 50000
	timeout server 50000
frontend main
	bind %s
	http-request return status 200
`, s.at))
	s.serve("exec haproxy -db -f " + conf)
}

// python: http.server, as it is. Changed: address, port, folder.
func python(s *site) {
	s.serve(fmt.Sprintf("exec python3 -m http.server --bind %s --directory %s %d", s.at.Addr(), s.home, s.at.Port()))
}

// gunicorn: one worker that serves one connection at a time. Changed: address, port; the application is the test's.
func gunicorn(s *site) {
	s.file("app.py", `def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
`)
	s.serve(fmt.Sprintf("exec gunicorn --chdir %s --bind %s app:app", s.home, s.at))
}

// postgres: changed are its folder, address, port and user.
func postgres(s *site) {
	programs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(programs) == 0 {
		s.t.Fatalf("no PostgreSQL (%v): run test/setup.sh", err)
	}
	data := filepath.Join(s.home, "data")
	const as = "setpriv --reuid=postgres --regid=postgres --clear-groups "
	s.prepare("install", "--directory", "--owner=postgres", "--mode=700", data)
	s.prepare("sh", "-euc", as+programs[0]+"/initdb --no-sync --pgdata "+data)
	s.serve(fmt.Sprintf("exec %s%s/postgres -D %s -c unix_socket_directories=%[3]s -c listen_addresses=%s -c port=%d", as,
		programs[0], data, s.at.Addr(), s.at.Port()))
}

// redis: changed are address, port, folder, user, and that it is for other hosts (protected-mode).
func redis(s *site) { serveRedis(s, "--protected-mode no") }

// redisProtected is for this host alone, though it listens for others.
func redisProtected(s *site) { serveRedis(s, "") }

func serveRedis(s *site, more string) {
	s.serve(fmt.Sprintf("exec setpriv --reuid=redis --regid=redis --clear-groups redis-server --bind %s --port %d "+
		"--dir %s --save '' %s", s.at.Addr(), s.at.Port(), s.home, more))
}

// memcached: changed are address, port and user; -v lets it log what it complains about.
func memcached(s *site) {
	s.serve(fmt.Sprintf("exec memcached -u memcache -m 64 -v -l %s -p %d", s.at.Addr(), s.at.Port()))
}

// mosquitto: changed are address and port. Anybody may connect, as where nothing is set and it listens on loopback.
func mosquitto(s *site) {
	conf := s.file("mosquitto.conf", fmt.Sprintf("listener %d %s\nallow_anonymous true\nuser mosquitto\n",
		s.at.Port(), s.at.Addr()))
	s.serve("exec mosquitto -c " + conf)
}

// golang is Go's net/http in this process, with a log like that of a program.
func golang(s *site) {
	out, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(s.t, err)
	server := &http.Server{ErrorLog: log.New(out, "", 0), ReadHeaderTimeout: patience}
	var l net.Listener
	must(s.t, s.Server().Do(func() (err error) {
		l, err = new(net.ListenConfig).Listen(s.t.Context(), "tcp", s.at.String())
		return err
	}))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	s.t.Cleanup(func() {
		server.Close()
		<-ended //nolint:errcheck // it says that it was closed
		out.Close()
	})
}
