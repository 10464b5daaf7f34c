package nats

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"coffer/internal/notify"
	"coffer/internal/notify/notifytest"
	"coffer/internal/outgoing"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func newSink(t *testing.T, o Options) *Sink {
	t.Helper()
	if o.Subject == "" {
		o.Subject = testSubject
	}
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

// guest is a reader that needs no login.
func guest(*nats.Options) error { return nil }

// The suite against a real server, which goes down and comes back in it.
func TestSuite(t *testing.T) {
	t.Run("publish", func(t *testing.T) {
		notifytest.Run(t, func(t *testing.T) *notifytest.Harness {
			s := startServer(t, "", guest)
			return &notifytest.Harness{Sink: newSink(t, Options{URL: s.url, Allow: loopback}), Received: s.published, Answer: s.answer}
		})
	})
	t.Run("stream", func(t *testing.T) {
		notifytest.Run(t, func(t *testing.T) *notifytest.Harness {
			s := startServer(t, withJetStream, guest)
			s.stream(testStream)
			return &notifytest.Harness{
				Sink: newSink(t, Options{URL: s.url, Stream: testStream, Allow: loopback}), Received: s.stored, Answer: s.answer, DropsRepetitions: true,
			}
		})
	})
	t.Run("tls and a password", func(t *testing.T) {
		lines, roots := certificate(t)
		notifytest.Run(t, func(t *testing.T) *notifytest.Harness {
			s := startServer(t, lines+"authorization { user: coffer, password: \""+notifytest.Secret+"\" }\n", func(o *nats.Options) error {
				o.User, o.Password = "coffer", notifytest.Secret
				return trusting(roots)(o)
			})
			sink := newSink(t, Options{URL: s.tlsURL(), Username: "coffer", Secret: []byte(notifytest.Secret), Allow: loopback, Roots: roots})
			return &notifytest.Harness{Sink: sink, Received: s.published, Answer: s.answer}
		})
	})
}

// A stream keeps what it took while the sink was told nothing, and drops the
// repetition, across a restart of the server.
func TestARepetitionAfterARestartIsDropped(t *testing.T) {
	s := startServer(t, withJetStream, guest)
	s.stream(testStream)
	sink := newSink(t, Options{URL: s.url, Stream: testStream, Allow: loopback})
	for _, n := range []int{1, 2} {
		if err := sink.Deliver(t.Context(), notifytest.Message(n)); err != nil {
			t.Fatal(err)
		}
	}
	s.stop()
	if err := sink.Deliver(t.Context(), notifytest.Message(3)); notify.ClassOf(err) != notify.Retry {
		t.Errorf("while the server is down: %v", err)
	}
	s.start()
	for _, n := range []int{2, 3} {
		if err := sink.Deliver(t.Context(), notifytest.Message(n)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{string(notifytest.Message(1).Document), string(notifytest.Message(2).Document), string(notifytest.Message(3).Document)}
	if diff := cmp.Diff(want, s.stored()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// A server that hangs has not got the message, and the next one goes over a connection
// of its own.
func TestAServerThatHangs(t *testing.T) {
	s := startServer(t, "", guest)
	sink := newSink(t, Options{URL: s.url, Allow: loopback})
	if err := sink.Deliver(t.Context(), notifytest.Message(1)); err != nil {
		t.Fatal(err)
	}
	if err := s.process.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(s.process.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the server does not stop: %v, %v", status, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := sink.Deliver(ctx, notifytest.Message(2)); notify.ClassOf(err) != notify.Retry || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the server hangs: %v", err)
	}
	if !sink.conn.IsClosed() {
		t.Error("the connection is kept")
	}
	if err := s.process.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := sink.Deliver(t.Context(), notifytest.Message(2)); err != nil {
		t.Fatal(err)
	}
	if got := s.published(); got[len(got)-1] != string(notifytest.Message(2).Document) {
		t.Errorf("received %q", got)
	}
}

// What a server and a stream refuse, and what becomes of the message then.
func TestRefusalsOfTheServer(t *testing.T) {
	large := func(n int) *notify.Message {
		m := notifytest.Message(1)
		m.Document = bytes.Repeat([]byte("1"), n)
		return m
	}
	s := startServer(t, withJetStream, guest)
	if err := s.heard.Unsubscribe(); err != nil { // who only listens does not answer either
		t.Fatal(err)
	}
	s.flush()
	streamed := newSink(t, Options{URL: s.url, Stream: testStream, Allow: loopback})
	deliver := func(what string, sink *Sink, m *notify.Message, want notify.Class, text string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := sink.Deliver(ctx, m); notify.ClassOf(err) != want || err != nil && !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v; want class %s and %q", what, err, want, text)
		}
	}
	deliver("no stream", streamed, notifytest.Message(1), notify.Retry, "no stream takes the subject")
	js := s.stream("OTHER")
	deliver("other stream", streamed, notifytest.Message(1), notify.Invalid, "belongs to another stream")
	if err := js.DeleteStream("OTHER"); err != nil {
		t.Fatal(err)
	}
	s.stream(testStream)
	deliver("over the stream's size", streamed, large(9<<10), notify.Failed, "of this size")
	deliver("over the server's size", streamed, large(65<<10), notify.Failed, "maximum payload")
	deliver("after refusals", streamed, notifytest.Message(2), notify.Delivered, "")

	closed := startServer(t, `authorization { users: [ { user: r, password: r, permissions: { publish: "other", subscribe: ">" } } ] }
no_auth_user: r
`, guest)
	deliver("no right", newSink(t, Options{URL: closed.url, Allow: loopback}), notifytest.Message(1), notify.Retry, "Permissions Violation")
	if got := closed.published(); got != nil {
		t.Errorf("published without the right: %q", got)
	}
}

// TLS is insisted on where the url says so, and the server must be one that is trusted.
func TestWhoIsTrusted(t *testing.T) {
	lines, roots := certificate(t)
	secure, plain := startServer(t, lines, trusting(roots)), startServer(t, "", guest)
	for name, tc := range map[string]struct {
		o    Options
		want notify.Class
	}{
		"asked for by the server":  {Options{URL: secure.url, Allow: loopback, Roots: roots}, notify.Delivered},
		"an unknown CA":            {Options{URL: secure.tlsURL(), Allow: loopback, Roots: x509.NewCertPool()}, notify.Retry},
		"a server without TLS":     {Options{URL: plain.tlsURL(), Allow: loopback}, notify.Retry},
		"an address not allowed":   {Options{URL: plain.url}, notify.Invalid}, // P5
		"a token that is no login": {Options{URL: secure.tlsURL(), Secret: []byte("t"), Allow: loopback, Roots: roots}, notify.Delivered},
	} {
		err := newSink(t, tc.o).Deliver(t.Context(), notifytest.Message(1))
		if notify.ClassOf(err) != tc.want || (tc.want == notify.Invalid) != errors.Is(err, outgoing.ErrAddress) {
			t.Errorf("%s: %v; want class %s", name, err, tc.want)
		}
	}
	if got := append(secure.published(), plain.published()...); len(got) != 2 {
		t.Errorf("received %d messages, want 2", len(got))
	}
}

// A credentials file logs in at a server whose users are kept by an operator.
func TestCredentials(t *testing.T) {
	operator, account, user := pair(t, nkeys.PrefixByteOperator), pair(t, nkeys.PrefixByteAccount), pair(t, nkeys.PrefixByteUser)
	unlimited := map[string]any{"subs": -1, "data": -1, "payload": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1}
	operatorJWT := token(t, operator, operator, map[string]any{"type": "operator", "version": 2})
	accountJWT := token(t, operator, account, map[string]any{"type": "account", "version": 2, "limits": unlimited})
	userJWT := token(t, account, user, map[string]any{"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1})
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	credentials := fmt.Appendf(nil, "-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n", userJWT, seed)

	s := startServer(t, fmt.Sprintf("operator: %s\nresolver: MEMORY\nresolver_preload: { %s: %s }\n", operatorJWT, public(t, account), accountJWT),
		nats.UserCredentialBytes(credentials))
	sink := newSink(t, Options{URL: s.url, Secret: credentials, Allow: loopback})
	if err := sink.Deliver(t.Context(), notifytest.Message(1)); err != nil {
		t.Fatalf("%v\n%s", err, s.logs.String())
	}
	if diff := cmp.Diff([]string{string(notifytest.Message(1).Document)}, s.published()); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
	stranger := newSink(t, Options{URL: s.url, Allow: loopback})
	if err := stranger.Deliver(t.Context(), notifytest.Message(2)); notify.ClassOf(err) != notify.Retry || !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("without credentials: %v", err)
	}
}

func pair(t *testing.T, kind nkeys.PrefixByte) nkeys.KeyPair {
	t.Helper()
	kp, err := nkeys.CreatePair(kind)
	if err != nil {
		t.Fatal(err)
	}
	return kp
}

func public(t *testing.T, kp nkeys.KeyPair) string {
	t.Helper()
	key, err := kp.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// token returns claims about subject, signed by issuer as NATS has it.
func token(t *testing.T, issuer, subject nkeys.KeyPair, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"iat": time.Now().Unix(), "jti": "1", "iss": public(t, issuer), "sub": public(t, subject), "name": "coffer", "nats": claims})
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"ed25519-nkey"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	signature, err := issuer.Sign([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]Options{
		"url must be":           {URL: "http://h:4222", Subject: "a"},
		"without a user":        {URL: "nats://u:p@h:4222", Subject: "a"},
		"subject must be":       {URL: "nats://h"},
		"subject must be names": {URL: "nats://h", Subject: "a.*"},
		"without wildcards":     {URL: "nats://h", Subject: "a..b"},
		"not beginning with $":  {URL: "nats://h", Subject: "$JS.API"},
		"stream must be":        {URL: "nats://h", Subject: "a", Stream: "a.b"},
		"needs a password":      {URL: "tls://h", Subject: "a", Username: "u"},
		"needs a tls":           {URL: "nats://h", Subject: "a", Username: "u", Secret: []byte(notifytest.Secret)},
		"a token needs a tls":   {URL: "nats://h", Subject: "a", Secret: []byte(notifytest.Secret)},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), notifytest.Secret) {
			t.Errorf("%+v: %v; want %q", o, err, want)
		}
	}
}

// What is no acknowledgement of the stream is no delivery.
func FuzzAcknowledgement(f *testing.F) {
	for _, text := range []string{
		`{"stream":"EVENTS","seq":1}`, `{"stream":"EVENTS","seq":1,"duplicate":true}`, `{"stream":"OTHER","seq":1}`, `{}`, `[]`, ``,
		`{"error":{"code":400,"err_code":10060,"description":"x"},"stream":"EVENTS","seq":1}`, `{"stream":"EVENTS","seq":0}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if readAcknowledgement(data, testStream) != nil {
			return
		}
		var got struct {
			Stream string `json:"stream"`
			Seq    uint64 `json:"seq"`
			Error  any    `json:"error"`
		}
		if err := json.Unmarshal(data, &got); err != nil || got.Stream != testStream || got.Seq == 0 || got.Error != nil {
			t.Errorf("%q counts as an acknowledgement", data)
		}
	})
}
