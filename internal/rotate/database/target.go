package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"coffer/internal/csms"
)

// DefaultTimeout bounds one call of an engine where a Target names no time.
const DefaultTimeout = 10 * time.Second

// Credential is a user with a password.
type Credential struct {
	User     string
	Password csms.Plaintext
}

// Target is a database server.
type Target struct {
	Host     string // name or IP address
	Port     int    // 0 for that of the kind of server
	Database string // to log in to; "" for what the engine takes
	TLS      TLS
	Timeout  time.Duration // of one call; 0 for DefaultTimeout

	// Dial makes connections; nil for a plain dialer. Whoever registers a target may not
	// be who runs Coffer, so the dialer can refuse addresses.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Administrator returns the credential for changes. It is asked at every change,
	// so an administrator whose own password rotates breaks nothing. The engine wipes
	// the password.
	Administrator func(ctx context.Context) (Credential, error)
}

// Check reports a target that no engine can use.
func (t *Target) Check() error {
	if t.Host == "" || t.Administrator == nil {
		return errors.New("database: a target needs a host and an administrator")
	}
	if t.Port < 0 || t.Port > 65535 {
		return fmt.Errorf("database: port is %d; it takes 1 to 65535", t.Port)
	}
	_, err := t.TLS.Config(t.Host)
	return err
}

// Address returns host and port for a dialer.
func (t *Target) Address(defaultPort int) string {
	port := t.Port
	if port == 0 {
		port = defaultPort
	}
	return net.JoinHostPort(t.Host, strconv.Itoa(port))
}

// Dialer returns what makes connections.
func (t *Target) Dialer() func(ctx context.Context, network, address string) (net.Conn, error) {
	if t.Dial != nil {
		return t.Dial
	}
	return (&net.Dialer{}).DialContext
}

// Limit returns the time that one call has.
func (t *Target) Limit() time.Duration {
	if t.Timeout <= 0 {
		return DefaultTimeout
	}
	return t.Timeout
}

// Bound returns ctx with the time limit of one call.
func (t *Target) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, t.Limit())
}

// TLS says how a connection is protected. The zero TLS is verify-full with the
// authorities of the system.
type TLS struct {
	Mode  csms.TLSMode
	Roots *x509.CertPool // authorities; nil for those of the system
}

// Config returns the configuration for host: nil for Disable.
func (t TLS) Config(host string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: t.Roots}
	switch t.Mode {
	case csms.TLSVerifyFull, "":
	case csms.TLSVerifyCA:
		// The check of crypto/tls includes the name, so it is off, and the chain alone is
		// checked here. VerifyConnection runs on resumed sessions too.
		c.InsecureSkipVerify, c.VerifyConnection = true, t.verifyChain
	case csms.TLSRequire:
		c.InsecureSkipVerify = true
	case csms.TLSDisable:
		return nil, nil
	default:
		return nil, fmt.Errorf("database: tls mode must be %s, %s, %s or %s", csms.TLSDisable, csms.TLSRequire, csms.TLSVerifyCA, csms.TLSVerifyFull)
	}
	return c, nil
}

func (t TLS) verifyChain(s tls.ConnectionState) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("database: the server shows no certificate")
	}
	others := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		others.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: t.Roots, Intermediates: others})
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
	}
	return nil
}
