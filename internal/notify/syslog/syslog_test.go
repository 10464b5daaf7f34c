package syslog

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/notify"
	"coffer/internal/notify/notifytest"
	"coffer/internal/outgoing"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// receiver takes framed messages over streams (RFC 6587).
type receiver struct {
	t       *testing.T
	address string
	tls     *tls.Config // nil for plain TCP

	mu       sync.Mutex
	listener net.Listener // nil while it is down
	lines    []string
	sessions sync.WaitGroup
}

func newReceiver(t *testing.T, config *tls.Config) *receiver {
	t.Helper()
	r := &receiver{t: t, address: "127.0.0.1:0", tls: config}
	r.start()
	t.Cleanup(r.stop)
	return r
}

func (r *receiver) start() {
	listener, err := net.Listen("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.listener, r.address = listener, listener.Addr().String()
	if r.tls != nil {
		listener = tls.NewListener(listener, r.tls)
	}
	r.sessions.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.sessions.Go(func() { r.session(conn) })
		}
	})
}

func (r *receiver) stop() {
	if r.listener == nil {
		return
	}
	if err := r.listener.Close(); err != nil {
		r.t.Error(err)
	}
	r.listener = nil
	r.sessions.Wait()
}

// session reads frames to the end, as a syslog server does, and then closes.
func (r *receiver) session(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		digits, err := in.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(digits, " "))
		if err != nil {
			r.t.Errorf("frame begins with %q", digits)
			return
		}
		line := make([]byte, n)
		if _, err := io.ReadFull(in, line); err != nil {
			r.t.Errorf("frame of %d bytes: %v", n, err)
			return
		}
		r.mu.Lock()
		r.lines = append(r.lines, string(line))
		r.mu.Unlock()
	}
}

func (r *receiver) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return documents(r.lines)
}

// documents returns what follows the structured data.
func documents(lines []string) []string {
	var out []string
	for _, line := range lines {
		_, document, _ := strings.Cut(line, `"] `)
		out = append(out, document)
	}
	return out
}

func (r *receiver) answer(class notify.Class) bool {
	switch class {
	case notify.Retry:
		r.stop()
	case notify.Delivered:
		r.start()
	default:
		return false
	}
	return true
}

// certificate returns one for 127.0.0.1, and who trusts it.
func certificate() (*tls.Config, *x509.CertPool) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return &tls.Config{Certificates: server.TLS.Certificates}, pool
}

func newSink(t *testing.T, o Options) *Sink {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSuite(t *testing.T) {
	t.Run("tcp", func(t *testing.T) {
		notifytest.Run(t, func(t *testing.T) *notifytest.Harness {
			r := newReceiver(t, nil)
			return &notifytest.Harness{Sink: newSink(t, Options{Network: "tcp", Address: r.address, Allow: loopback}), Received: r.received, Answer: r.answer}
		})
	})
	t.Run("tls", func(t *testing.T) {
		notifytest.Run(t, func(t *testing.T) *notifytest.Harness {
			config, roots := certificate()
			r := newReceiver(t, config)
			return &notifytest.Harness{
				Sink:     newSink(t, Options{Network: "tls", Address: r.address, Allow: loopback, Roots: roots}),
				Received: r.received, Answer: r.answer,
			}
		})
	})
	t.Run("udp", func(t *testing.T) {
		notifytest.Run(t, func(t *testing.T) *notifytest.Harness {
			socket, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = socket.Close() })
			return &notifytest.Harness{
				Sink:     newSink(t, Options{Network: "udp", Address: socket.LocalAddr().String(), Allow: loopback}),
				Received: func() []string { return drain(t, socket) },
				Answer:   func(class notify.Class) bool { return class == notify.Delivered }, // it answers nothing
			}
		})
	})
}

// drain reads the datagrams that have arrived: on the loopback, all that were sent.
func drain(t *testing.T, socket net.PacketConn) []string {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for buf := make([]byte, 64<<10); ; {
		n, _, err := socket.ReadFrom(buf)
		if err != nil {
			return documents(lines)
		}
		lines = append(lines, string(buf[:n]))
	}
}

// RFC 5424, section 6.
func TestTheFormOnTheWire(t *testing.T) {
	s := newSink(t, Options{Network: "tcp", Address: "h:1", Hostname: "cöffer 1.example"})
	m := notifytest.Message(7)
	m.SecretName = `a"]\`
	want := `<110>1 2026-01-01T00:00:00.000Z cffer1.example coffer - SECRET_VERSION_CREATED ` +
		`[csms@32473 event_id="00000000-0000-8000-8000-000000000007" project_id="c0000000000000000000000000000001" secret_name="a\"\]\\"] ` + string(m.Document)
	if diff := cmp.Diff(want, string(s.line(m))); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	m.Type = ""
	if got := string(newSink(t, Options{Network: "udp", Address: "h:1"}).line(m)); !strings.Contains(got, "Z - coffer - - [csms@") {
		t.Errorf("without names: %s", got)
	}
}

// A receiver that hangs up without reading has not got the message; one that keeps
// its side open has.
func TestTheEndOfTheConnectionTells(t *testing.T) {
	for name, tc := range map[string]struct {
		session func(net.Conn)
		want    notify.Class
	}{
		"resets": {func(conn net.Conn) {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_, _ = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}, notify.Retry},
		"stays open": {func(conn net.Conn) {
			_, _ = io.Copy(io.Discard, conn)
			<-t.Context().Done()
			_ = conn.Close()
		}, notify.Delivered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = listener.Close() }()
			go func() {
				if conn, err := listener.Accept(); err == nil {
					tc.session(conn)
				}
			}()
			s := newSink(t, Options{Network: "tcp", Address: listener.Addr().String(), Allow: loopback})
			if err := s.Deliver(t.Context(), notifytest.Message(1)); notify.ClassOf(err) != tc.want {
				t.Errorf("Deliver: %v; want class %s", err, tc.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, o := range []Options{{}, {Network: "tcp"}, {Network: "tcp", Address: "host"}, {Network: "tcp", Address: ":514"}, {Network: "sctp", Address: "h:514"}} {
		if _, err := New(o); err == nil {
			t.Errorf("New(%+v) is accepted", o)
		}
	}
	s := newSink(t, Options{Network: "tcp", Address: "127.0.0.1:1"})
	if err := s.Deliver(t.Context(), notifytest.Message(1)); notify.ClassOf(err) != notify.Invalid || !errors.Is(err, outgoing.ErrAddress) {
		t.Errorf("loopback: %v", err) // P5
	}
	config, _ := certificate()
	r := newReceiver(t, config)
	stranger := newSink(t, Options{Network: "tls", Address: r.address, Allow: loopback, Roots: x509.NewCertPool()})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := stranger.Deliver(ctx, notifytest.Message(1)); notify.ClassOf(err) != notify.Retry || r.received() != nil {
		t.Errorf("an unknown CA: %v", err)
	}
}
