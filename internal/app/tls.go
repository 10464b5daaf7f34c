package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// certificate is the certificate in use. It is read again when one of its files
// changes, so that a renewed certificate needs no restart.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	current           atomic.Pointer[loadedCertificate]
}

type loadedCertificate struct {
	tls.Certificate
	certTime, keyTime time.Time
}

func newCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	return c, c.load()
}

func (c *certificate) load() error {
	certTime, keyTime, err := c.times()
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("reading the certificate %s with the key %s: %w", c.certFile, c.keyFile, err)
	}
	c.current.Store(&loadedCertificate{pair, certTime, keyTime})
	return nil
}

func (c *certificate) times() (certTime, keyTime time.Time, err error) {
	cert, err := os.Stat(c.certFile)
	if err != nil {
		return
	}
	key, err := os.Stat(c.keyFile)
	if err != nil {
		return
	}
	return cert.ModTime(), key.ModTime(), nil
}

// reload reads the files again if they have changed. While a pair cannot be read,
// for it may be half replaced, the old one stays in use.
func (c *certificate) reload(ctx context.Context) error {
	certTime, keyTime, err := c.times()
	now := c.current.Load()
	if err == nil && certTime.Equal(now.certTime) && keyTime.Equal(now.keyTime) {
		return nil
	}
	if err := c.load(); err != nil {
		return fmt.Errorf("keeping the old certificate: %w", err)
	}
	c.log.InfoContext(ctx, "certificate reloaded", slog.String("file", c.certFile))
	return nil
}

// config returns the TLS configuration of the listener.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.current.Load().Certificate, nil
		},
	}
}

// Files of the self-made certificate, in the folder tls of the data directory.
const (
	caFile   = "ca.pem"
	certFile = "server.pem"
	keyFile  = "server.key"
)

// leafLife is how long a self-made certificate is valid; it is made anew at a start
// less than leafRenew before its end. Its CA lives longer, so that clients keep it.
const (
	caLife    = 10 * 365 * 24 * time.Hour
	leafLife  = 397 * 24 * time.Hour
	leafRenew = 60 * 24 * time.Hour
)

// selfMade returns the files of a certificate for hosts that a private CA in dir has
// signed, making what is missing, about to expire, or lacks a host. The CA's own key
// is kept beside it with mode 0600, for later certificates.
func selfMade(dir string, hosts []string, now time.Time) (cert, key, ca string, err error) {
	cert, key, ca = filepath.Join(dir, certFile), filepath.Join(dir, keyFile), filepath.Join(dir, caFile)
	if leafServes(cert, hosts, now) {
		return cert, key, ca, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", "", fmt.Errorf("making a certificate: %w", err)
	}
	authority, err := certificateAuthority(ca, filepath.Join(dir, "ca.key"), now)
	if err != nil {
		return "", "", "", fmt.Errorf("making a certificate authority: %w", err)
	}
	if err := issueLeaf(authority, cert, key, hosts, now); err != nil {
		return "", "", "", fmt.Errorf("making a certificate: %w", err)
	}
	return cert, key, ca, nil
}

func leafServes(file string, hosts []string, now time.Time) bool {
	leaf, err := readCertificate(file)
	if err != nil || now.Add(leafRenew).After(leaf.NotAfter) {
		return false
	}
	for _, host := range hosts {
		if leaf.VerifyHostname(host) != nil {
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

// certificateAuthority returns the CA that stands in the two files, or makes it.
func certificateAuthority(certFile, keyFile string, now time.Time) (*tls.Certificate, error) {
	if pair, err := tls.LoadX509KeyPair(certFile, keyFile); err == nil && now.Add(leafLife).Before(pair.Leaf.NotAfter) {
		return &pair, nil
	}
	template := &x509.Certificate{
		Subject:  pkix.Name{CommonName: "Coffer private CA"},
		NotAfter: now.Add(caLife), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if err := issue(template, nil, certFile, keyFile, now); err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	return &pair, err
}

func issueLeaf(authority *tls.Certificate, certFile, keyFile string, hosts []string, now time.Time) error {
	template := &x509.Certificate{
		Subject:  pkix.Name{CommonName: hosts[0]},
		NotAfter: now.Add(leafLife), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return issue(template, authority, certFile, keyFile, now)
}

// issue makes a key and a certificate for it, signed by authority or by itself.
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
	if err := writePEM(keyFile, "PRIVATE KEY", keyDER, 0o600); err != nil {
		return err
	}
	return writePEM(certFile, "CERTIFICATE", der, 0o644)
}

func writePEM(file, kind string, der []byte, mode os.FileMode) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode)
}
