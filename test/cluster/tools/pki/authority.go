package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"time"
)

const lifetime = 365 * 24 * time.Hour

// identity is what a certificate is for: the user and the group for the API server, or the addresses of a server.
type identity struct {
	name, group string
	addresses   []string
}

// pair is a certificate in DER and its key.
type pair struct {
	certificate []byte
	key         *ecdsa.PrivateKey
}

type authority struct {
	pair
	parsed *x509.Certificate
}

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	root := template(identity{name: name})
	root.IsCA, root.BasicConstraintsValid = true, true
	root.KeyUsage |= x509.KeyUsageCertSign
	der, err := sign(root, root, key.Public(), key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	return &authority{pair{der, key}, parsed}, err
}

func (a *authority) issue(who identity) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	der, err := sign(template(who), a.parsed, key.Public(), a.key)
	return pair{der, key}, err
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.PrivateKey) ([]byte, error) {
	return x509.CreateCertificate(rand.Reader, template, parent, public, key)
}

func template(who identity) *x509.Certificate {
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: who.name},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	if who.group != "" {
		t.Subject.Organization = []string{who.group}
	}
	for _, address := range who.addresses {
		if ip := net.ParseIP(address); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, address)
		}
	}
	return t
}
