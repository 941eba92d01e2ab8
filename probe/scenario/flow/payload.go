package flow

import "strings"

// Payload returns the first n bytes of an unfinished request.
type Payload func(n int) []byte

// Payloads are tried in order: an application that closes on the first may wait on the second.
func Payloads(own string) []Payload {
	if own != "" {
		return []Payload{repeat(own)}
	}
	return []Payload{plainRequest, clientHello}
}

// plainRequest is a request line without an end: servers of line-based protocols wait for more.
func plainRequest(n int) []byte {
	return []byte("GET /" + strings.Repeat("x", n))[:n]
}

// tlsRecord begins a TLS record of 16,128 bytes with a ClientHello of 16,124 (RFC 8446 sections 4 and 5.1),
// longer than all that a flow sends: a TLS server waits for the rest.
const tlsRecord = "\x16\x03\x01\x3f\x00\x01\x00\x3e\xfc\x03\x03"

func clientHello(n int) []byte {
	return []byte(tlsRecord + strings.Repeat("x", n))[:n]
}

func repeat(own string) Payload {
	return func(n int) []byte {
		return []byte(strings.Repeat(own, n/len(own)+1))[:n]
	}
}
