package kubernetes

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority issues the certificates of a cluster into a directory.
type authority struct {
	dir    string
	serial int64
	err    error
}

type pair struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// certificates makes what the parts of a cluster show to each other, and the kubeconfig of each.
func certificates(dir string) error {
	a := &authority{dir: dir}
	ca := a.issue("ca", "kubernetes", nil, nil)
	a.issue("apiserver", "kube-apiserver", nil, ca, "127.0.0.1", nodeIP, apiIP, "localhost",
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
	a.issue("apiserver-kubelet", "apiserver", []string{"system:masters"}, ca)
	a.issue("kubelet-server", node, nil, ca, nodeIP, node)
	a.issue("front", "front-proxy", nil, a.issue("front-ca", "front-proxy", nil, nil))
	a.issue("sa", "sa", nil, ca)
	a.issue("account", accountHost, nil, ca, accountHost) // which e2e has no certificate for
	for name, who := range map[string]struct {
		name   string
		groups []string
	}{
		"admin":                   {"admin", []string{"system:masters"}},
		"kube-controller-manager": {"system:kube-controller-manager", nil},
		"kube-scheduler":          {"system:kube-scheduler", nil},
		"kube-proxy":              {"system:kube-proxy", nil},
		"kubelet":                 {"system:node:" + node, []string{"system:nodes"}},
	} {
		a.issue(name, who.name, who.groups, ca)
		a.write(name+".conf", fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://%s:6443", certificate-authority: ca.crt}}]
users: [{name: u, user: {client-certificate: %[2]s.crt, client-key: %[2]s.key}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`, nodeIP, name))
	}
	return a.err
}

func (a *authority) write(name string, src []byte) {
	if err := os.WriteFile(filepath.Join(a.dir, name), src, 0o600); err != nil && a.err == nil {
		a.err = err
	}
}

// issue makes a key and its certificate; of nobody, it is one that issues others.
func (a *authority) issue(name, who string, groups []string, by *pair, names ...string) *pair {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.err = err
		return by
	}
	a.serial++
	t := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: who, Organization: groups},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	made := &pair{t, key}
	if by == nil {
		by = made
		t.IsCA, t.KeyUsage, t.ExtKeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature, nil
	}
	der, err := x509.CreateCertificate(rand.Reader, t, by.cert, key.Public(), by.key)
	if err != nil {
		a.err = err
		return made
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.err = err
	}
	a.write(name+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	a.write(name+".key", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}))
	if made.cert, err = x509.ParseCertificate(der); err != nil {
		a.err = err
	}
	return made
}
