package servertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// Authority signs certificates of servers.
type Authority struct {
	Roots *x509.CertPool
	PEM   string

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// lifetime is that of certificates; no run takes longer.
const lifetime = 24 * time.Hour

// NewAuthority returns an authority that nobody else knows.
func NewAuthority(t *testing.T) *Authority {
	t.Helper()
	a := &Authority{Roots: x509.NewCertPool()}
	a.certificate = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lifetime), KeyUsage: x509.KeyUsageCertSign,
	}
	a.PEM, _, a.key = a.sign(t, a.certificate)
	a.Roots.AppendCertsFromPEM([]byte(a.PEM))
	return a
}

// Issue returns a certificate for localhost and 127.0.0.2, but not for 127.0.0.1, with
// its key.
func (a *Authority) Issue(t *testing.T) (certificate, key string) {
	t.Helper()
	certificate, key, _ = a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 2)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return certificate, key
}

func (a *Authority) sign(t *testing.T, c *x509.Certificate) (certificate, key string, private *ecdsa.PrivateKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer := a.key
	if signer == nil {
		signer = private
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.certificate, &private.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", der), block("PRIVATE KEY", encoded), private
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
