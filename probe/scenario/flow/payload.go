package flow

import "strings"

// Payload returns the first n bytes of an incomplete request, to which no application answers.
type Payload func(n int) []byte

// Payloads returns the payloads to try, in order. An application that closes on the first one may wait on the second.
func Payloads(own string) []Payload {
	if own != "" {
		return []Payload{repeat(own)}
	}
	return []Payload{plainRequest, clientHello}
}

// plainRequest returns the start of a request line without its end: servers of text protocols wait for more.
func plainRequest(n int) []byte {
	return []byte("GET /" + strings.Repeat("x", n))[:n]
}

// tlsRecord is the start of a TLS record of 16,128 bytes with a ClientHello of 16,124 (RFC 8446 sections 4 and 5.1).
// This is longer than all data of a flow, so a TLS server waits for the rest.
const tlsRecord = "\x16\x03\x01\x3f\x00\x01\x00\x3e\xfc\x03\x03"

func clientHello(n int) []byte {
	return []byte(tlsRecord + strings.Repeat("x", n))[:n]
}

func repeat(own string) Payload {
	return func(n int) []byte {
		return []byte(strings.Repeat(own, n/len(own)+1))[:n]
	}
}
