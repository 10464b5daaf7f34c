// Package smtp delivers messages by mail: the document as the text, and what happened
// to which secret in the subject.
//
// The rule that keeps it honest: a password never goes over a connection that is not
// encrypted. The Message-ID follows from the id of the message, so a repetition can be
// told from a second message.
package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	gosmtp "net/smtp"
	"net/textproto"
	"time"

	"coffer/internal/notify"
	"coffer/internal/outgoing"
)

// Options of a sink. Address, From and To are required.
type Options struct {
	Address    string   // host and port of the mail server
	Encryption string   // starttls, tls or off; "" means starttls
	From       string   // address of the sender
	To         []string // addresses of the recipients
	Username   string   // to log in with AUTH PLAIN; "" for no login
	Password   []byte
	Hostname   string         // of this server, for the greeting; "" for localhost
	Allow      []netip.Prefix // networks that are reached although outgoing refuses them
	Roots      *x509.CertPool // nil for those of the system
}

// Sink is a mail server. It makes a connection for each message: they are rare.
type Sink struct {
	address, host string
	encryption    string
	from          string
	to            []string
	username      string
	password      string // net/smtp takes no bytes
	hostname      string
	dialer        *net.Dialer
	tls           *tls.Config
}

// New returns a sink for o.
func New(o Options) (*Sink, error) {
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil || host == "" || port == "" {
		return nil, errors.New("smtp: address must be host and port")
	}
	if len(o.To) == 0 {
		return nil, errors.New("smtp: to is empty; give at least one address")
	}
	for _, address := range append([]string{o.From}, o.To...) {
		if a, err := mail.ParseAddress(address); err != nil || a.Name != "" || a.Address != address {
			return nil, fmt.Errorf("smtp: %q is no mail address", address)
		}
	}
	s := &Sink{
		address: o.Address, host: host, encryption: o.Encryption, from: o.From, to: o.To,
		username: o.Username, password: string(o.Password), hostname: o.Hostname,
		dialer: outgoing.Dialer(o.Allow), tls: &tls.Config{ServerName: host, RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
	}
	switch s.encryption {
	case "":
		s.encryption = "starttls"
	case "starttls", "tls":
	case "off":
		if s.username != "" {
			return nil, errors.New("smtp: a username needs encryption")
		}
	default:
		return nil, errors.New("smtp: encryption must be starttls, tls or off")
	}
	return s, nil
}

// Deliver mails m. A recipient that is refused for good makes the target Invalid, a
// text that is refused for good has Failed; all else is tried again, a refused login
// too, for a password can be put right.
func (s *Sink) Deliver(ctx context.Context, m *notify.Message) error {
	text, err := s.letter(m)
	if err != nil {
		return notify.Failedf("smtp: writing the letter: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, outgoing.Timeout)
	defer cancel()
	err = s.send(ctx, text)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, outgoing.ErrAddress):
		return notify.Invalidf("smtp: %w", err)
	case ctx.Err() != nil:
		return fmt.Errorf("smtp: mailing through %s: %w", s.address, ctx.Err())
	}
	return fmt.Errorf("smtp: mailing through %s: %w", s.address, err)
}

// Close has nothing to release.
func (s *Sink) Close() error { return nil }

func (s *Sink) send(ctx context.Context, text []byte) error {
	conn, err := s.dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })() // the past ends whatever waits
	if s.encryption == "tls" {
		conn = tls.Client(conn, s.tls)
	}
	c, err := gosmtp.NewClient(conn, s.host)
	if err != nil {
		return err
	}
	if err := s.greet(c); err != nil {
		return err
	}
	if err := s.mail(c, text); err != nil {
		return err
	}
	_ = c.Quit() // the letter is accepted, whatever the server says now
	return nil
}

// greet opens the session: name, encryption, login.
func (s *Sink) greet(c *gosmtp.Client) error {
	if s.hostname != "" {
		if err := c.Hello(s.hostname); err != nil {
			return err
		}
	}
	if s.encryption == "starttls" {
		if err := c.StartTLS(s.tls); err != nil {
			return fmt.Errorf("encrypting the connection: %w", err)
		}
	}
	if s.username == "" {
		return nil
	}
	if err := c.Auth(gosmtp.PlainAuth("", s.username, s.password, s.host)); err != nil {
		return refusal("the login", err)
	}
	return nil
}

// mail hands the letter over.
func (s *Sink) mail(c *gosmtp.Client, text []byte) error {
	if err := c.Mail(s.from); err != nil {
		return final(notify.Failedf, "the sender", err)
	}
	for _, to := range s.to {
		if err := c.Rcpt(to); err != nil {
			return final(notify.Invalidf, "a recipient", err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return final(notify.Failedf, "the message", err)
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return final(notify.Failedf, "the message", err)
	}
	return nil
}

// final classifies a refusal with a code of 500 and above, which says that the same
// will be refused again.
func final(classify func(string, ...any) error, what string, err error) error {
	if e := (*textproto.Error)(nil); errors.As(err, &e) && e.Code >= 500 {
		return classify("%w", refusal(what, err))
	}
	return err
}

// refusal tells the code of a refusal and not its text, which can repeat what was sent.
func refusal(what string, err error) error {
	if e := (*textproto.Error)(nil); errors.As(err, &e) {
		return fmt.Errorf("%s is refused with %d", what, e.Code)
	}
	return err
}
