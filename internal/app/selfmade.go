package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// selfMade is a directory with a private CA and a certificate that it signed. The
// CA's own key stays beside it, mode 0600, for later certificates.
type selfMade struct {
	dir   string
	hosts []string
}

func (m *selfMade) cert() string  { return filepath.Join(m.dir, "server.pem") }
func (m *selfMade) key() string   { return filepath.Join(m.dir, "server.key") }
func (m *selfMade) ca() string    { return filepath.Join(m.dir, "ca.pem") }
func (m *selfMade) caKey() string { return filepath.Join(m.dir, "ca.key") }

// A certificate of our own is valid for leafLife and made anew leafRenew before its
// end. Its CA lives longer, so that clients keep it.
const (
	caLife    = 10 * 365 * 24 * time.Hour
	leafLife  = 397 * 24 * time.Hour
	leafRenew = 60 * 24 * time.Hour
)

// make makes what is missing, about to end, damaged, or not valid for one of the
// hosts. It is idempotent.
func (m *selfMade) make(now time.Time) error {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return fmt.Errorf("making a certificate: %w", err)
	}
	authority, err := readCertificate(m.ca())
	if errors.Is(err, fs.ErrNotExist) || err == nil && now.Add(leafLife).After(authority.NotAfter) {
		return m.makeAuthority(now)
	}
	if err != nil {
		return fmt.Errorf("reading the private CA: %w", err)
	}
	if m.serves(authority, now) {
		return nil
	}
	return m.makeLeaf(now)
}

// serves reports whether the certificate that is there will do.
func (m *selfMade) serves(authority *x509.Certificate, now time.Time) bool {
	pair, err := tls.LoadX509KeyPair(m.cert(), m.key())
	if err != nil || now.Add(leafRenew).After(pair.Leaf.NotAfter) || pair.Leaf.CheckSignatureFrom(authority) != nil {
		return false
	}
	for _, host := range m.hosts {
		if pair.Leaf.VerifyHostname(host) != nil {
			return false
		}
	}
	return true
}

func readCertificate(file string) (*x509.Certificate, error) {
	text, err := os.ReadFile(file) //nolint:gosec // a file of our own data directory
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block in " + file)
	}
	return x509.ParseCertificate(block.Bytes)
}

// makeAuthority makes the CA, and the certificate with it.
func (m *selfMade) makeAuthority(now time.Time) error {
	template := &x509.Certificate{
		Subject:  pkix.Name{CommonName: "Coffer private CA"},
		NotAfter: now.Add(caLife), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if err := issue(template, nil, m.ca(), m.caKey(), now); err != nil {
		return fmt.Errorf("making a private CA: %w", err)
	}
	return m.makeLeaf(now)
}

// makeLeaf makes the certificate of the listener. Without the key of the CA it makes
// no other CA: every client would have to be given that one.
func (m *selfMade) makeLeaf(now time.Time) error {
	authority, err := tls.LoadX509KeyPair(m.ca(), m.caKey())
	if err != nil {
		return fmt.Errorf("signing a new certificate: %w; put %s back, or remove %s to make a new CA, which every client must then be given", err, m.caKey(), m.ca())
	}
	template := &x509.Certificate{
		Subject:  pkix.Name{CommonName: m.hosts[0]},
		NotAfter: now.Add(leafLife), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range m.hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if err := issue(template, &authority, m.cert(), m.key(), now); err != nil {
		return fmt.Errorf("making a certificate: %w", err)
	}
	return nil
}

// issue makes a key and a certificate for it, signed by authority or by itself. The
// key is there first, so that what a crash leaves is made anew.
func issue(template *x509.Certificate, authority *tls.Certificate, certFile, keyFile string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template.NotBefore = now.Add(-time.Hour) // clocks of clients differ
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return err
	}
	parent, signer := template, any(key)
	if authority != nil {
		parent, signer = authority.Leaf, authority.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	defer clear(keyDER)
	if err := replacePEM(keyFile, "PRIVATE KEY", keyDER, 0o600); err != nil {
		return err
	}
	return replacePEM(certFile, "CERTIFICATE", der, 0o644)
}

// replacePEM writes a file that is there whole or not at all.
func replacePEM(file, kind string, der []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".pem-*") // mode 0600
	if err != nil {
		return err
	}
	err = errors.Join(pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
