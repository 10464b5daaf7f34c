package nats

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"coffer/internal/notify"
	"coffer/internal/notify/notifytest"
)

// server is a nats-server with its data in a directory of its own, and a reader that
// may read everything.
type server struct {
	t       *testing.T
	port    string
	config  string
	process *exec.Cmd // nil while it is down
	logs    logs
	url     string      // of the reader
	reader  nats.Option // how the reader logs in and whom it trusts

	conn     *nats.Conn
	heard    *nats.Subscription
	received []string // by the reader, so far
}

const (
	testSubject = "coffer.events"
	testStream  = "EVENTS"
)

// logs is what a server has said, which it does while the test reads.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// withJetStream is the line of the configuration that makes streams possible.
const withJetStream = "jetstream: true\n"

// startServer starts a server with the lines of extra in its configuration.
func startServer(t *testing.T, extra string, reader nats.Option) *server {
	t.Helper()
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_ = listener.Close()
	s := &server{t: t, port: port, config: filepath.Join(dir, "nats.conf"), url: "nats://127.0.0.1:" + port, reader: reader}
	text := fmt.Sprintf("listen: 127.0.0.1:%s\nmax_payload: 64KB\n%s", port, extra)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

// start starts the server and waits until the reader listens.
func (s *server) start() {
	s.t.Helper()
	s.process = exec.Command(program(), "-c", s.config, "-sd", filepath.Dir(s.config))
	s.process.Stderr = &s.logs
	if err := s.process.Start(); err != nil {
		s.t.Fatalf("starting nats-server: %v; `make setup` installs it", err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		var err error
		if s.conn, err = nats.Connect(s.url, s.reader, nats.NoReconnect(), nats.Timeout(time.Second)); err == nil {
			break
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("nats-server does not answer: %v\n%s", err, s.logs.String())
		}
		<-time.After(10 * time.Millisecond)
	}
	var err error
	if s.heard, err = s.conn.SubscribeSync(testSubject); err != nil {
		s.t.Fatal(err)
	}
	s.flush()
}

// program is where nats-server stands: in the PATH, or with the daemons.
func program() string {
	if path, err := exec.LookPath("nats-server"); err == nil {
		return path
	}
	return "/usr/sbin/nats-server"
}

// stop ends the server as an operator does.
func (s *server) stop() {
	if s.process == nil {
		return
	}
	s.collect()
	s.conn.Close()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Error(err)
	}
	_ = s.process.Wait() // it says 1 after a signal
	s.process = nil
}

func (s *server) flush() {
	s.t.Helper()
	if err := s.conn.FlushTimeout(10 * time.Second); err != nil {
		s.t.Fatalf("%v\n%s", err, s.logs.String())
	}
}

// collect takes what has come to the reader: behind a ping, all that the server took.
func (s *server) collect() {
	s.t.Helper()
	s.flush()
	for {
		m, err := s.heard.NextMsg(time.Millisecond)
		if err != nil {
			return
		}
		s.received = append(s.received, string(m.Data))
	}
}

func (s *server) published() []string {
	s.t.Helper()
	s.collect()
	return s.received
}

// stream makes a stream that takes the subject.
func (s *server) stream(name string) nats.JetStreamContext {
	s.t.Helper()
	js, err := s.conn.JetStream()
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := js.AddStream(&nats.StreamConfig{Name: name, Subjects: []string{testSubject}, MaxMsgSize: 8 << 10}); err != nil {
		s.t.Fatalf("%v\n%s", err, s.logs.String())
	}
	return js
}

// stored returns what stands in the stream.
func (s *server) stored() []string {
	s.t.Helper()
	js, err := s.conn.JetStream()
	if err != nil {
		s.t.Fatal(err)
	}
	info, err := js.StreamInfo(testStream)
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for n := info.State.FirstSeq; n <= info.State.LastSeq; n++ {
		m, err := js.GetMsg(testStream, n)
		if err != nil {
			s.t.Fatal(err)
		}
		if m.Header.Get(nats.MsgIdHdr) == "" || m.Header.Get("Coffer-Topic-Urn") != notifytest.Message(1).TopicURN {
			s.t.Errorf("headers %v", m.Header)
		}
		all = append(all, string(m.Data))
	}
	return all
}

func (s *server) answer(class notify.Class) bool {
	switch class {
	case notify.Retry:
		s.stop()
	case notify.Delivered:
		s.start()
	default:
		return false
	}
	return true
}

// certificate writes a certificate for 127.0.0.1 and its key, and returns the lines
// of the configuration that use them, and who trusts it.
func certificate(t *testing.T) (string, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nats"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	for file, text := range map[string][]byte{certFile: certPEM, keyFile: keyPEM} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return fmt.Sprintf("tls { cert_file: %q\n key_file: %q }\n", certFile, keyFile), pool
}

// tlsURL is where a sink that insists on TLS finds the server.
func (s *server) tlsURL() string { return strings.Replace(s.url, "nats:", "tls:", 1) }

// trusting makes a reader check the server against roots.
func trusting(roots *x509.CertPool) nats.Option {
	return nats.Secure(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
}
