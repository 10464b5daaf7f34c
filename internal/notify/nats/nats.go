// Package nats delivers messages to a subject of NATS: with a stream, to JetStream,
// which keeps them and drops repetitions; without one, to whoever listens.
//
// The rule that keeps it honest: nothing is buffered here. A message counts as
// delivered once the server has answered behind it: with the acknowledgement of the
// stream, or with the pong to a ping that followed it. A connection that broke is not
// mended behind the back of the caller; the next delivery makes a new one.
package nats

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"

	"coffer/internal/notify"
	"coffer/internal/outgoing"
)

// Options of a sink. URL and Subject are required.
type Options struct {
	URL      string         // nats://host:port, or tls://host:port, which insists on TLS
	Subject  string         // that every message is published to; no wildcards
	Stream   string         // of JetStream that must take it; "" for a publication nobody may hear
	Username string         // with Secret as its password
	Secret   []byte         // without Username: the text of a credentials file, else a token; nil for none
	Allow    []netip.Prefix // networks that are reached although outgoing refuses them
	Roots    *x509.CertPool // of TLS; nil for those of the system
}

// Sink is a subject. It holds one connection from the first delivery on.
type Sink struct {
	url     string
	subject string
	stream  string
	options []nats.Option

	turn chan struct{} // holds a token while nobody looks at conn
	conn *nats.Conn    // nil before the first delivery
}

// New returns a sink for o. It connects to nothing yet.
func New(o Options) (*Sink, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, errors.New("nats: url must be nats://host:port or tls://host:port, without a user")
	}
	if err := checkSubject(o.Subject); err != nil {
		return nil, err
	}
	if strings.ContainsAny(o.Stream, ".*> \t\r\n/\\") {
		return nil, errors.New("nats: stream must be a name without dots, wildcards, slashes and spaces")
	}
	login, err := o.login(u.Scheme == "tls")
	if err != nil {
		return nil, err
	}
	options := append(login,
		nats.Name("coffer"), nats.NoReconnect(), nats.Timeout(outgoing.Timeout), nats.NoEcho(),
		nats.SetCustomDialer(outgoing.Dialer(o.Allow)), nats.NoCallbacksAfterClientClose(),
		// What is wrong is told to who delivers; the default would print it.
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
	)
	options = append(options, trust(&tls.Config{ServerName: u.Hostname(), RootCAs: o.Roots, MinVersion: tls.VersionTLS12}))
	s := &Sink{url: o.URL, subject: o.Subject, stream: o.Stream, options: options, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s, nil
}

// trust makes TLS as config has it: the client insists on it for a tls:// url, and
// else does it where the server asks.
func trust(config *tls.Config) nats.Option {
	return func(o *nats.Options) error {
		o.TLSConfig = config
		return nil
	}
}

// checkSubject refuses what a message cannot be published to.
func checkSubject(subject string) error {
	for token := range strings.SplitSeq(subject, ".") {
		if token == "" || strings.ContainsAny(token, "*> \t\r\n") || strings.HasPrefix(subject, "$") {
			return errors.New("nats: subject must be names between dots, without wildcards and spaces, not beginning with $")
		}
	}
	return nil
}

// credentialsMark is what a credentials file of NATS has, and no token.
const credentialsMark = "BEGIN NATS USER JWT"

// login returns how the sink says who it is. A password or a token goes over the wire
// as it is, so both need TLS; of credentials only a signature does.
func (o *Options) login(encrypted bool) ([]nats.Option, error) {
	isCredentials := o.Username == "" && bytes.Contains(o.Secret, []byte(credentialsMark))
	switch {
	case o.Username == "" && o.Secret == nil:
		return nil, nil
	case o.Secret == nil:
		return nil, errors.New("nats: a username needs a password")
	case isCredentials:
		return []nats.Option{nats.UserCredentialBytes(bytes.Clone(o.Secret))}, nil
	case !encrypted:
		return nil, errors.New("nats: a password or a token needs a tls:// url")
	case o.Username == "":
		return []nats.Option{nats.Token(string(o.Secret))}, nil
	default:
		return []nats.Option{nats.UserInfo(o.Username, string(o.Secret))}, nil
	}
}

// Deliver publishes m. What is too large for the server or the stream has Failed; an
// address that may not be reached, and a subject that another stream takes, are
// Invalid; everything else is tried again, missing rights included, for a server that
// is being mended answers all sorts of things.
func (s *Sink) Deliver(ctx context.Context, m *notify.Message) error {
	ctx, cancel := context.WithTimeout(ctx, outgoing.Timeout)
	defer cancel()
	err := s.deliver(ctx, m)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("nats: publishing to %s: %w", s.subject, errors.Join(ctx.Err(), err))
	case errors.Is(err, outgoing.ErrAddress), errors.Is(err, errOtherStream):
		return notify.Invalidf("nats: %w", err)
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, errTooLarge):
		return notify.Failedf("nats: %w", err)
	}
	return fmt.Errorf("nats: publishing to %s: %w", s.subject, err)
}

func (s *Sink) deliver(ctx context.Context, m *notify.Message) error {
	conn, err := s.connection(ctx)
	if err != nil {
		return err
	}
	if s.stream != "" {
		err = publishToStream(ctx, conn, s.message(m), s.stream)
	} else {
		err = publish(ctx, conn, s.message(m))
	}
	// A refusal comes beside the answers, before the one that follows it. The
	// connection keeps it for good, so it goes; and so does one on which no answer came.
	if last := conn.LastError(); last != nil || ctx.Err() != nil {
		conn.Close()
		err = errors.Join(last, err)
	}
	return err
}

// publish sends msg and waits until the server has dealt with it.
func publish(ctx context.Context, conn *nats.Conn, msg *nats.Msg) error {
	if err := conn.PublishMsg(msg); err != nil {
		return err
	}
	return conn.FlushWithContext(ctx)
}

// message returns m for the wire. JetStream drops a message whose Nats-Msg-Id it has
// seen within the duplicate window of the stream.
func (s *Sink) message(m *notify.Message) *nats.Msg {
	msg := nats.NewMsg(s.subject)
	msg.Data = m.Document
	msg.Header.Set(nats.MsgIdHdr, m.ID)
	msg.Header.Set("Content-Type", "application/json")
	msg.Header.Set("Coffer-Event-Type", m.Type)
	msg.Header.Set("Coffer-Topic-Urn", m.TopicURN)
	return msg
}

// connection returns a connection that stands as far as is known.
func (s *Sink) connection(ctx context.Context) (*nats.Conn, error) {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.conn != nil && s.conn.IsConnected() {
		return s.conn, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.drop()
	conn, err := nats.Connect(s.url, s.options...)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	s.conn = conn
	return conn, nil
}

func (s *Sink) drop() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

// Close ends the connection.
func (s *Sink) Close() error {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	s.drop()
	return nil
}
