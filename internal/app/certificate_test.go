package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coffer/internal/jobs"
)

// TestReplacedCertificate: a client sees a new certificate without a restart. While
// the files are half replaced, or gone, the old one serves.
func TestReplacedCertificate(t *testing.T) {
	dir := t.TempDir()
	old := &selfMade{dir: filepath.Join(dir, "old"), hosts: []string{"127.0.0.1"}}
	renewed := &selfMade{dir: filepath.Join(dir, "renewed"), hosts: []string{"127.0.0.1"}}
	roots := x509.NewCertPool()
	for _, m := range []*selfMade{old, renewed} {
		if err := m.make(time.Now()); err != nil {
			t.Fatal(err)
		}
		roots.AppendCertsFromPEM(read(t, m.ca()))
	}
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, cert, read(t, old.cert()))
	write(t, key, read(t, old.key()))
	s := serve(t, filepath.Join(dir, "data"), func(c *Config) { c.TLS.Certificate, c.TLS.Key = cert, key })
	if _, err := os.Stat(filepath.Join(dir, "data", "tls")); err == nil {
		t.Error("a certificate was made beside the one that is named")
	}
	reload := jobNamed(t, s.Server, "certificate")
	wantServed(t, s, roots, old)

	for name, step := range map[string]func(){
		"half_replaced": func() { write(t, cert, read(t, renewed.cert())) },
		"half_written":  func() { write(t, cert, read(t, renewed.cert())[:100]) },
		"empty":         func() { write(t, key, nil) },
		"gone":          func() { remove(t, cert); remove(t, key) },
	} {
		step()
		if err := reload.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "keeping the certificate in use") {
			t.Errorf("%s: %v", name, err)
		}
		wantServed(t, s, roots, old)
		write(t, cert, read(t, old.cert()))
		write(t, key, read(t, old.key()))
	}

	write(t, cert, read(t, renewed.cert()))
	write(t, key, read(t, renewed.key()))
	reloaded := s.logs.watch("certificate reloaded")
	for range 2 {
		if err := reload.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantServed(t, s, roots, renewed)
	}
	<-reloaded
	if n := strings.Count(s.logs.String(), "certificate reloaded"); n != 1 {
		t.Errorf("reloaded %d times; it has changed once", n)
	}
}

func jobNamed(t *testing.T, s *Server, name string) jobs.Job {
	t.Helper()
	for _, job := range s.jobs() {
		if job.Name == name {
			return job
		}
	}
	t.Fatalf("no job is called %s", name)
	return jobs.Job{}
}

// wantServed connects as a client that knows roots, and checks the certificate that
// it is shown.
func wantServed(t *testing.T, s *running, roots *x509.CertPool, want *selfMade) {
	t.Helper()
	conn, err := tls.Dial("tcp", s.Addr(), &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	leaf, err := readCertificate(want.cert())
	if err != nil {
		t.Fatal(err)
	}
	if !conn.ConnectionState().PeerCertificates[0].Equal(leaf) {
		t.Errorf("the certificate is not that of %s", want.dir)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// TestSelfMadeCertificate: it is made anew when it has to be, and its CA, which
// clients have been given, is not.
func TestSelfMadeCertificate(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name      string
		change    func(t *testing.T, m *selfMade)
		after     time.Duration
		leaf, ca  bool // are new
		wantError string
	}{
		{name: "nothing"},
		{name: "some_days", after: leafLife - leafRenew - time.Hour},
		{name: "near_its_end", after: leafLife - leafRenew + time.Hour, leaf: true},
		{name: "after_its_end", after: leafLife + time.Hour, leaf: true},
		{name: "another_host", change: func(_ *testing.T, m *selfMade) { m.hosts = append(m.hosts, "secrets.example.org") }, leaf: true},
		{name: "no_key", change: func(t *testing.T, m *selfMade) { remove(t, m.key()) }, leaf: true},
		{name: "no_certificate", change: func(t *testing.T, m *selfMade) { remove(t, m.cert()) }, leaf: true},
		{name: "damaged_key", change: func(t *testing.T, m *selfMade) { write(t, m.key(), []byte("x")) }, leaf: true},
		{name: "another_CA", change: func(t *testing.T, m *selfMade) {
			other := &selfMade{dir: t.TempDir(), hosts: m.hosts}
			if err := other.make(start); err != nil {
				t.Fatal(err)
			}
			write(t, m.ca(), read(t, other.ca()))
			write(t, m.caKey(), read(t, other.caKey()))
		}, leaf: true, ca: true},
		{name: "CA_near_its_end", after: caLife - leafLife + time.Hour, leaf: true, ca: true},
		{name: "CA_without_certificate", change: func(t *testing.T, m *selfMade) { remove(t, m.ca()) }, leaf: true, ca: true},
		{name: "no_CA_key", change: func(t *testing.T, m *selfMade) { remove(t, m.caKey()) }},
		{
			name: "no_CA_key_near_its_end", change: func(t *testing.T, m *selfMade) { remove(t, m.caKey()) }, after: leafLife,
			wantError: "put it back, or remove",
		},
		{name: "damaged_CA", change: func(t *testing.T, m *selfMade) { write(t, m.ca(), []byte("x")) }, wantError: "reading the private CA: no PEM block"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := &selfMade{dir: filepath.Join(t.TempDir(), "tls"), hosts: []string{"localhost", "127.0.0.1", "::1"}}
			if err := m.make(start); err != nil {
				t.Fatal(err)
			}
			leaf, ca := read(t, m.cert()), read(t, m.ca())
			if tc.change != nil {
				tc.change(t, m)
			}
			err := m.make(start.Add(tc.after))
			if tc.wantError != "" {
				if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), m.caKey(), "it"), tc.wantError) {
					t.Errorf("error %v, want %q", err, tc.wantError)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := !bytes.Equal(leaf, read(t, m.cert())); got != tc.leaf {
				t.Errorf("the certificate is new: %v, want %v", got, tc.leaf)
			}
			if got := !bytes.Equal(ca, read(t, m.ca())); got != tc.ca {
				t.Errorf("the CA is new: %v, want %v", got, tc.ca)
			}
			m.wantValid(t, start.Add(tc.after))
		})
	}
}

// wantValid checks what is in the directory as a client does, and that nobody else
// can read the keys.
func (m *selfMade) wantValid(t *testing.T, now time.Time) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(m.cert(), m.key())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(t, m.ca()))
	for _, host := range m.hosts {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(m.dir, "*"))
	if err != nil || len(files) > 4 {
		t.Errorf("files %v, %v", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || strings.HasSuffix(file, ".key") && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file, info.Mode(), err)
		}
	}
}

// TestOwnCertificateIsRenewedWhileServing: nobody has to restart a server after a
// year.
func TestOwnCertificateIsRenewedWhileServing(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	own := &selfMade{dir: filepath.Dir(s.caPath), hosts: s.config.hosts()}
	before := s.cert.current.Load().Leaf
	remove(t, own.cert()) // which makes it as due as its age would
	if err := jobNamed(t, s.Server, "certificate").Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(t, s.caPath))
	wantServed(t, s, roots, own)
	if after := s.cert.current.Load().Leaf; after.Equal(before) {
		t.Error("the certificate is the old one")
	}
}

// TestCertificateAtItsEnd is logged as a warning and served all the same.
func TestCertificateAtItsEnd(t *testing.T) {
	dir := t.TempDir()
	own := &selfMade{dir: dir, hosts: []string{"127.0.0.1"}}
	if err := own.make(time.Now().Add(-leafLife - time.Hour)); err != nil {
		t.Fatal(err)
	}
	s := serve(t, t.TempDir(), func(c *Config) { c.TLS.Certificate, c.TLS.Key = own.cert(), own.key() })
	conn, err := tls.Dial("tcp", s.Addr(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for _, line := range s.logs.lines(t) {
		if line["msg"] == "certificate loaded" && line["level"] == "WARN" {
			return
		}
	}
	t.Errorf("no warning:\n%s", s.logs)
}

// TestBothVersionsOfHTTP: HTTP/2 is offered over TLS, and HTTP/1.1 to whoever asks.
func TestBothVersionsOfHTTP(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(t, s.caPath))
	for proto, transport := range map[string]*http.Transport{
		"HTTP/2.0": {TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true},
		"HTTP/1.1": {TLSClientConfig: &tls.Config{RootCAs: roots}},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL()+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		transport.CloseIdleConnections()
		if resp.Proto != proto || resp.StatusCode != http.StatusOK {
			t.Errorf("%s %s, want %s", resp.Proto, resp.Status, proto)
		}
	}
}

// TestAddresses: what is printed can be connected to, and the certificate is valid
// for it.
func TestAddresses(t *testing.T) {
	for listen, host := range map[string]string{
		"127.0.0.1:0": "127.0.0.1", "localhost:0": "127.0.0.1", ":0": "127.0.0.1", "0.0.0.0:0": "127.0.0.1", "[::]:0": "127.0.0.1", "[::1]:0": "[::1]",
	} {
		if probe, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", listen); err != nil {
			t.Logf("%s: this machine has no such address: %v", listen, err)
			continue
		} else {
			probe.Close()
		}
		s := serve(t, t.TempDir(), func(c *Config) { c.Listen = listen })
		_, port, _ := net.SplitHostPort(s.Addr())
		if got, want := s.URL(), "https://"+host+":"+port; got != want && listen != "localhost:0" {
			t.Errorf("listening on %s: URL %s, want %s", listen, got, want)
		}
		if got := names(t, s.owner(t)); got != "" {
			t.Errorf("listening on %s: secrets %q", listen, got)
		}
		s.stop(t)
	}
	s := serve(t, t.TempDir(), func(c *Config) {
		c.PublicURL, c.TLS.Names = "https://secrets.example.org:8443/", []string{"vault.example.org", "192.0.2.7"}
	})
	if got, want := s.URL(), "https://secrets.example.org:8443"; got != want {
		t.Errorf("URL %s, want %s", got, want)
	}
	for _, host := range []string{"secrets.example.org", "vault.example.org", "192.0.2.7", "localhost", "127.0.0.1", "::1"} {
		if err := s.cert.current.Load().Leaf.VerifyHostname(host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}
