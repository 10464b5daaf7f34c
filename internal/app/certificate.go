package app

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// certificate is the certificate in use. It is read again when its files change, so
// that a renewed certificate needs no restart.
type certificate struct {
	certFile, keyFile string
	renew             func(now time.Time) error // makes the files anew in time; nil for files of the operator
	log               *slog.Logger
	current           atomic.Pointer[loadedCertificate]
}

// loadedCertificate is a pair with the digest of the files that it was read from.
type loadedCertificate struct {
	tls.Certificate
	digest [sha256.Size]byte
}

// load reads the files for the first time.
func (c *certificate) load(ctx context.Context) error {
	loaded, err := c.read()
	if err != nil {
		return err
	}
	c.use(ctx, "certificate loaded", loaded)
	return nil
}

// read reads the pair of files. One that is half replaced is an error.
func (c *certificate) read() (*loadedCertificate, error) {
	cert, err := os.ReadFile(c.certFile)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	key, err := os.ReadFile(c.keyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the key of the certificate: %w", err)
	}
	defer clear(key)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate %s with the key %s: %w", c.certFile, c.keyFile, err)
	}
	digest := sha256.New()
	digest.Write(cert)
	digest.Write(key)
	return &loadedCertificate{pair, [sha256.Size]byte(digest.Sum(nil))}, nil
}

// reload renews a certificate of our own if it is time, and reads the files again.
// While they are no pair, for they may be half replaced, the old one stays in use.
func (c *certificate) reload(ctx context.Context) error {
	if c.renew != nil {
		if err := c.renew(time.Now()); err != nil {
			return fmt.Errorf("renewing the certificate: %w", err)
		}
	}
	loaded, err := c.read()
	if err != nil {
		return fmt.Errorf("keeping the certificate in use: %w", err)
	}
	if loaded.digest != c.current.Load().digest {
		c.use(ctx, "certificate reloaded", loaded)
	}
	return nil
}

// use serves with a certificate from now on. One at its end is served all the same:
// some clients may go on, and none is helped by a server that is down.
func (c *certificate) use(ctx context.Context, what string, loaded *loadedCertificate) {
	c.current.Store(loaded)
	level := slog.LevelInfo
	if time.Until(loaded.Leaf.NotAfter) < certificateWarning {
		level = slog.LevelWarn
	}
	c.log.Log(ctx, level, what, slog.String("file", c.certFile), slog.Time("not_after", loaded.Leaf.NotAfter)) //nolint:sloglint // two fixed texts
}

// certificateWarning is how long before its end a certificate is logged as a warning.
const certificateWarning = 14 * 24 * time.Hour

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
