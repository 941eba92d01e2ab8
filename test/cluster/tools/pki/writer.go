package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// writer writes files until the first error, which it keeps.
type writer struct {
	folder, server string
	authority      *authority
	err            error
}

// certificate writes NAME.crt and NAME.key.
func (w *writer) certificate(file string, who identity) (certificate, key []byte) {
	issued, err := w.authority.issue(who)
	w.keep(err)
	return w.pem(file+".crt", "CERTIFICATE", issued.certificate), w.privateKey(file+".key", issued.key)
}

// kubeconfig writes NAME.crt, NAME.key and NAME.kubeconfig, which holds both.
func (w *writer) kubeconfig(file string, who identity) {
	certificate, key := w.certificate(file, who)
	config := api.NewConfig()
	config.Clusters["tcpprobe-test"] = &api.Cluster{Server: w.server, CertificateAuthorityData: w.authorityPEM()}
	config.AuthInfos[who.name] = &api.AuthInfo{ClientCertificateData: certificate, ClientKeyData: key}
	config.Contexts["tcpprobe-test"] = &api.Context{Cluster: "tcpprobe-test", AuthInfo: who.name}
	config.CurrentContext = "tcpprobe-test"
	if w.err == nil {
		w.keep(clientcmd.WriteToFile(*config, filepath.Join(w.folder, file+".kubeconfig")))
	}
}

func (w *writer) authorityFiles() {
	w.write("ca.crt", w.authorityPEM())
	w.privateKey("ca.key", w.authority.key)
}

// serviceAccountKey is RSA: the API server's token verifiers all know it.
func (w *writer) serviceAccountKey(file string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	w.keep(err)
	if w.err != nil {
		return
	}
	w.privateKey(file+".key", key)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	w.keep(err)
	w.pem(file+".pub", "PUBLIC KEY", public)
}

func (w *writer) authorityPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.authority.certificate})
}

func (w *writer) privateKey(file string, key crypto.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	w.keep(err)
	return w.pem(file, "PRIVATE KEY", der)
}

func (w *writer) pem(file, kind string, der []byte) []byte {
	content := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	w.write(file, content)
	return content
}

func (w *writer) write(file string, content []byte) {
	if w.err == nil {
		w.keep(os.WriteFile(filepath.Join(w.folder, file), content, 0o600))
	}
}

func (w *writer) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}
