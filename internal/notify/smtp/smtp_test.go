package smtp

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"net/netip"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/notify"
	"coffer/internal/notify/notifytest"
	"coffer/internal/outgoing"
)

// server is a mail server, as far as handing over a letter goes.
type server struct {
	t       *testing.T
	address string
	tls     *tls.Config
	roots   *x509.CertPool

	mu       sync.Mutex
	refuse   map[string]string // answer to a command, in place of its own
	letters  []*mail.Message
	texts    []string
	logins   []string // of encrypted sessions
	sessions sync.WaitGroup
}

// newServer starts a server; implicit means that it speaks TLS from the first byte.
func newServer(t *testing.T, implicit bool) *server {
	t.Helper()
	s := &server{t: t, refuse: map[string]string{}, roots: x509.NewCertPool()}
	cert := httptest.NewTLSServer(nil)
	s.tls = &tls.Config{Certificates: cert.TLS.Certificates}
	s.roots.AddCert(cert.Certificate())
	cert.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	if implicit {
		listener = tls.NewListener(listener, s.tls)
	}
	s.sessions.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.sessions.Go(func() { s.session(conn, implicit) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		s.sessions.Wait()
	})
	return s
}

// session speaks SMTP over conn until the client leaves.
func (s *server) session(conn net.Conn, encrypted bool) {
	defer func() { _ = conn.Close() }()
	in, rcpt := bufio.NewReader(conn), 0
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	say("220 mail.test ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if answer := s.refusal(verb); answer != "" {
			say(answer)
			continue
		}
		switch verb {
		case "EHLO":
			say("250-mail.test")
			if !encrypted {
				say("250-STARTTLS")
			}
			say("250 AUTH PLAIN")
		case "STARTTLS":
			say("220 go ahead")
			conn, encrypted = tls.Server(conn, s.tls), true
			in = bufio.NewReader(conn)
		case "AUTH":
			s.login(encrypted, strings.TrimPrefix(rest, "PLAIN "))
			say("235 welcome")
		case "RCPT":
			rcpt++
			say("250 ok")
		case "DATA":
			say("354 go on")
			text, err := io.ReadAll(textproto.NewReader(in).DotReader())
			if err != nil {
				return
			}
			if answer := s.refusal("."); answer != "" {
				say(answer)
				continue
			}
			s.keep(string(text), rcpt)
			say("250 queued")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *server) refusal(verb string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refuse[verb]
}

func (s *server) login(encrypted bool, encoded string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !encrypted {
		s.t.Error("a login without encryption")
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		s.t.Error(err)
	}
	s.logins = append(s.logins, string(text))
}

// keep takes a letter that was sent to n recipients.
func (s *server) keep(text string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	letter, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		s.t.Errorf("letter: %v\n%s", err, text)
		return
	}
	to, err := letter.Header.AddressList("To")
	if err != nil || len(to) != n {
		s.t.Errorf("To: %v, %v; sent to %d", to, err, n)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(letter.Body))
	if err != nil {
		s.t.Error(err)
	}
	s.letters = append(s.letters, letter)
	s.texts = append(s.texts, strings.TrimRight(string(body), "\r\n"))
}

func (s *server) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.texts...)
}

// answer refuses recipients or letters for the classes there are.
func (s *server) answer(class notify.Class) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.refuse)
	switch class {
	case notify.Retry:
		s.refuse["."] = "451 try later"
	case notify.Invalid:
		s.refuse["RCPT"] = "550 nobody of that name: " + notifytest.Secret
	case notify.Failed:
		s.refuse["."] = "554 we do not like this"
	case notify.Delivered:
	}
	return true
}

func (s *server) options(encryption string) Options {
	return Options{
		Address: s.address, Encryption: encryption, From: "coffer@example.org", To: []string{"ops@example.org", "dev@example.org"},
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Roots: s.roots, Hostname: "coffer.example.org",
	}
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
	for _, encryption := range []string{"starttls", "tls", "off"} {
		t.Run(encryption, func(t *testing.T) {
			notifytest.Run(t, func(t *testing.T) *notifytest.Harness {
				s := newServer(t, encryption == "tls")
				o := s.options(encryption)
				if encryption != "off" {
					o.Username, o.Password = "coffer", []byte(notifytest.Secret)
				}
				return &notifytest.Harness{Sink: newSink(t, o), Received: s.received, Answer: s.answer}
			})
		})
	}
}

func TestTheLetter(t *testing.T) {
	s := newServer(t, false)
	o := s.options("")
	o.Username, o.Password = "coffer", []byte(notifytest.Secret)
	if err := newSink(t, o).Deliver(t.Context(), notifytest.Message(7)); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"From": "<coffer@example.org>", "To": "<ops@example.org>, <dev@example.org>", "Subject": "CSMS SECRET_VERSION_CREATED demo-secret",
		"Date": "Thu, 01 Jan 2026 00:00:00 +0000", "Message-Id": "<00000000-0000-8000-8000-000000000007@coffer>", "Auto-Submitted": "auto-generated",
	}
	for name, value := range want {
		if got := s.letters[0].Header.Get(name); got != value {
			t.Errorf("%s: %q; want %q", name, got, value)
		}
	}
	if diff := cmp.Diff([]string{"\x00coffer\x00" + notifytest.Secret}, s.logins); diff != "" {
		t.Errorf("logins (-want +got):\n%s", diff)
	}
}

// A publication is a mail of its own subject and text, whatever the subject holds.
func TestTheLetterOfAPublication(t *testing.T) {
	s := newServer(t, false)
	sink := newSink(t, s.options(""))
	m := notifytest.Publication(7)
	for _, subject := range []string{"Ünder way", "a\r\nBcc: x@y.z", ""} {
		m.Published.Subject = subject
		text, err := sink.letter(m)
		if err != nil {
			t.Fatal(err)
		}
		letter, err := mail.ReadMessage(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
		want := subject
		if want == "" {
			want = "SMN topic"
		}
		if err != nil || got != want || letter.Header.Get("Bcc") != "" {
			t.Errorf("subject %q, %v; want %q", got, err, want)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(letter.Body))
		if err != nil || string(body) != "Line one\r\nline two\r\n" {
			t.Errorf("body %q, %v", body, err)
		}
	}
}

// Nothing goes out where encryption was asked for and is not to be had, and what can
// be put right is tried again.
func TestRefusalsOfTheSession(t *testing.T) {
	for verb, answer := range map[string]string{"STARTTLS": "454 not now", "AUTH": "535 wrong: " + notifytest.Secret, "MAIL": "451 later", "EHLO": "550 go away"} {
		s := newServer(t, false)
		s.refuse[verb] = answer
		if verb == "EHLO" {
			s.refuse["HELO"] = answer
		}
		o := s.options("starttls")
		o.Username, o.Password = "coffer", []byte(notifytest.Secret)
		err := newSink(t, o).Deliver(t.Context(), notifytest.Message(1))
		if notify.ClassOf(err) != notify.Retry || strings.Contains(err.Error(), notifytest.Secret) || s.received() != nil {
			t.Errorf("%s: %v", verb, err)
		}
	}
	s := newServer(t, false)
	stranger := s.options("starttls")
	stranger.Roots = x509.NewCertPool()
	if err := newSink(t, stranger).Deliver(t.Context(), notifytest.Message(1)); notify.ClassOf(err) != notify.Retry || s.received() != nil {
		t.Errorf("an unknown CA: %v", err)
	}
	forbidden := s.options("starttls")
	forbidden.Allow = nil
	if err := newSink(t, forbidden).Deliver(t.Context(), notifytest.Message(1)); notify.ClassOf(err) != notify.Invalid || !errors.Is(err, outgoing.ErrAddress) {
		t.Errorf("loopback: %v", err) // P5
	}
}

func TestNewRefuses(t *testing.T) {
	good := Options{Address: "h:25", From: "a@b.c", To: []string{"d@e.f"}}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for i, change := range []func(*Options){
		func(o *Options) { o.Address = "h" },
		func(o *Options) { o.Address = ":25" },
		func(o *Options) { o.From = "" },
		func(o *Options) { o.From = "A <a@b.c>" },
		func(o *Options) { o.To = nil },
		func(o *Options) { o.To = []string{"d@e.f", "a@b\r\nBcc: x@y.z"} },
		func(o *Options) { o.Encryption = "ssl" },
		func(o *Options) { o.Encryption, o.Username = "off", "u" },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("case %d: %+v is accepted", i, o)
		}
	}
	s := newSink(t, good)
	m := notifytest.Message(1)
	m.ID = "x\r\nBcc: x@y.z"
	if _, err := s.letter(m); err == nil {
		t.Errorf("an id of two lines is accepted: %q", m.ID)
	}
}
