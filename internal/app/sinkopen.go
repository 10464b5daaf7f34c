package app

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"coffer/internal/auth/signature"
	"coffer/internal/notify"
	"coffer/internal/notify/file"
	"coffer/internal/notify/nats"
	"coffer/internal/notify/smn"
	"coffer/internal/notify/smtp"
	"coffer/internal/notify/syslog"
	"coffer/internal/notify/webhook"
	"coffer/internal/outgoing"
)

// sinkOpener holds what sinks are made of beside their configuration. Its methods
// open one type of sink each.
type sinkOpener struct {
	allow []netip.Prefix
	name  string // of this host, "" if it has none
}

func (o *sinkOpener) webhook(c *SinkConfig) (notify.Sink, error) {
	client, err := o.client(c)
	if err != nil {
		return nil, err
	}
	var secret []byte
	if text, err := c.secret("the signing secret"); err != nil {
		return nil, err
	} else if text != nil {
		if secret, err = webhook.ParseSecret(text); err != nil {
			return nil, err
		}
	}
	// Receivers judge the signature by wall time.
	return webhook.New(webhook.Options{URL: c.URL, Secret: secret, Now: time.Now, Client: client})
}

func (o *sinkOpener) file(c *SinkConfig) (notify.Sink, error) { return file.New(c.Path), nil }

func (o *sinkOpener) syslog(c *SinkConfig) (notify.Sink, error) {
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	return syslog.New(syslog.Options{Network: c.Network, Address: c.Address, Hostname: o.name, Allow: o.allow, Roots: roots})
}

func (o *sinkOpener) smtp(c *SinkConfig) (notify.Sink, error) {
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	password, err := c.secret("the password")
	if err != nil {
		return nil, err
	}
	if (c.Username == "") != (password == nil) {
		return nil, errors.New("username goes together with secret_file or secret_env")
	}
	return smtp.New(smtp.Options{
		Address: c.Address, Encryption: c.Encryption, From: c.From, To: c.To, Username: c.Username, Password: password,
		Hostname: o.name, Allow: o.allow, Roots: roots,
	})
}

func (o *sinkOpener) nats(c *SinkConfig) (notify.Sink, error) {
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	secret, err := c.secret("the credentials")
	if err != nil {
		return nil, err
	}
	return nats.New(nats.Options{
		URL: c.URL, Subject: c.Subject, Stream: c.Stream, Username: c.Username, Secret: secret, Allow: o.allow, Roots: roots,
	})
}

func (o *sinkOpener) smn(c *SinkConfig) (notify.Sink, error) {
	client, err := o.client(c)
	if err != nil {
		return nil, err
	}
	secret, err := c.secret("the secret key")
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	key, err := signature.NewKey(c.AccessKey, secret)
	if err != nil {
		return nil, fmt.Errorf("access_key, or the secret key in secret_file or secret_env: %w", err)
	}
	return smn.New(smn.Options{Endpoint: c.URL, TopicURN: c.TopicURN, Key: key, Client: client, Now: time.Now})
}

// client returns a client that trusts whom c trusts.
func (o *sinkOpener) client(c *SinkConfig) (*outgoing.Client, error) {
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	return outgoing.New(outgoing.Options{Allow: o.allow, Roots: roots}), nil
}

// secret returns the secret that c names, nil if it names none.
func (c *SinkConfig) secret(name string) ([]byte, error) {
	if c.SecretFile == "" && c.SecretEnv == "" {
		return nil, nil
	}
	return readSecret(name, c.SecretFile, c.SecretEnv)
}

// roots returns the CAs that c trusts, nil for those of the system.
func (c *SinkConfig) roots() (*x509.CertPool, error) { return readRoots(c.CAFile) }

// readRoots reads the CAs of a ca_file, nil for those of the system if it is empty.
func readRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // nil means those of the system
	}
	pem, err := os.ReadFile(file) //nolint:gosec // the configuration names it
	if err != nil {
		return nil, fmt.Errorf("reading ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading ca_file: %s holds no certificate", file)
	}
	return pool, nil
}
