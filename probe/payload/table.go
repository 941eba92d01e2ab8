package payload

// 16,128 is how many bytes most presets with a length announce. It is longer than all data of a flow over Ethernet, so
// the server waits for the rest; and servers take as much from a client that they do not know yet.
const (
	held       = "\x3f\x00"
	heldLittle = "\x00\x3f" // with the low byte first
)

// http and clientHello are what is sent where nothing is set.
const (
	http = "GET /"
	// clientHello is the start of a TLS record of 16,128 bytes with a ClientHello of 16,124 (RFC 8446 sections 4 and 5.1).
	clientHello = "\x16\x03\x01" + held + "\x01\x00\x3e\xfc\x03\x03"
)

// table has the presets in the order of the documents.
var table = []Preset{
	{
		Name: "http", Start: http,
		Sends: "the beginning of a request line, `GET /xxx…`, without its end",
		Harmless: "a server of a text protocol waits for the rest of the line, and has nothing to answer. Many log a " +
			"client that leaves so, as nginx and HAProxy do, a line for each",
	}, {
		Name: "tls", Start: clientHello,
		Sends: "the beginning of a TLS record of 16,128 bytes with a ClientHello",
		Harmless: "the server waits for the rest; it chooses nothing and computes nothing before it has the whole. " +
			"It may log a handshake that was not finished",
	}, {
		Name: "postgres", Start: "\x00\x00\x27\x10\x00\x03\x00\x00user\x00", Ports: []uint16{5432}, Closes: true,
		Sends: "the beginning of a StartupMessage of 10,000 bytes, about the longest that the server takes, with the " +
			"user's name unfinished. No SSLRequest: what may follow that depends on the server's `ssl`",
		Harmless: "no login is tried: without its last byte the message names nobody, and the server ends it after " +
			"`authentication_timeout` (one minute). It logs `incomplete startup packet`, and each connection has a " +
			"process while it lasts",
	}, {
		Name: "mysql", Start: heldLittle + "\x00\x01\x0d\xa2\x00\x00\x00\x00\x00\x01\x21" + reserved,
		Ports: []uint16{3306}, Closes: true, SpeaksFirst: true,
		Sends: "the beginning of a handshake response of 16,128 bytes, with the user's name unfinished. MySQL and MariaDB " +
			"speak first",
		Harmless: "no login is tried. But they count each connection that ends there against this host, and refuse it " +
			"after `max_connect_errors` (100) until `FLUSH HOSTS`, whatever is sent: see [what a target may lock " +
			"out](security.md#who-may-be-locked-out)",
	}, {
		Name: "redis", Start: "PING\r\nPING ",
		Sends:    "a whole `PING`, then the beginning of another one",
		Harmless: "`PING` changes nothing, and is answered before a login too, at least by an error",
	}, {
		Name: "smtp", Start: "NOOP ", Ports: []uint16{25, 587}, SpeaksFirst: true,
		Sends: "the beginning of a `NOOP` without its end. The server speaks first, and is not waited for: one that " +
			"insists on it (Exim, Postfix's postscreen) hangs up, which is Inconclusive / PeerReset",
		Harmless: "`NOOP` does nothing, and without a line's end none is counted as junk. The server logs a lost connection",
	}, {
		Name: "ssh", Start: "SSH-2.0-TCPProbe\r\n\x00\x00\x3e\xfc\x04\x14", Ports: []uint16{22}, SpeaksFirst: true,
		Sends: "a whole identification line, then the beginning of a key exchange of 16,128 bytes",
		Harmless: "no key is exchanged, and no login is tried. Each connection counts for `MaxStartups` while it lasts, " +
			"and may for `PerSourcePenalties` of OpenSSH 9.8 and later",
	}, {
		Name: "mongodb", Start: mongoHello + mongoUnfinished, Ports: []uint16{27017}, Closes: true,
		Sends:    "a whole `hello` (OP_MSG), then the beginning of a message of 16,128 bytes",
		Harmless: "`hello` needs no login and changes nothing; a driver sends it on each connection",
	},
}

// reserved are the 23 bytes of zero in a handshake response of MySQL.
const reserved = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// An OP_MSG: length, request, response, operation 2013, flags, and a section of one document, all with the low byte
// first.
const (
	mongoHello = "\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00" +
		"\x1f\x00\x00\x00\x10hello\x00\x01\x00\x00\x00\x02$db\x00\x06\x00\x00\x00admin\x00\x00"
	mongoUnfinished = heldLittle + "\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00"
)
