// Package syslog delivers messages to a syslog receiver: RFC 5424 over TCP, TLS or
// UDP, facility "log audit", severity "informational".
//
// The rule that keeps it honest: syslog has no acknowledgement, so over TCP and TLS a
// message counts as delivered once the receiver has closed its side after ours, which
// it does when it has read everything. Over UDP nothing can be known, and delivered
// means sent.
package syslog

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"coffer/internal/notify"
	"coffer/internal/outgoing"
)

// Options of a sink. Network and Address are required.
type Options struct {
	Network  string         // tcp, tls or udp
	Address  string         // host and port
	Hostname string         // of this server, as the receiver is to show it; "" for none
	Allow    []netip.Prefix // networks that are reached although outgoing refuses them
	Roots    *x509.CertPool // of tls; nil for those of the system
}

// Sink is a syslog receiver. It makes a connection for each message: they are rare,
// and only the end of a connection tells that it was read.
type Sink struct {
	network  string
	address  string
	hostname string
	dialer   *net.Dialer
	tls      *tls.Config // nil without TLS
}

// New returns a sink for o.
func New(o Options) (*Sink, error) {
	host, port, err := net.SplitHostPort(o.Address)
	if err != nil || host == "" || port == "" {
		return nil, errors.New("syslog: address must be host and port")
	}
	s := &Sink{network: o.Network, address: o.Address, hostname: header(o.Hostname, 255), dialer: outgoing.Dialer(o.Allow)}
	switch o.Network {
	case "tcp", "udp":
	case "tls":
		s.network, s.tls = "tcp", &tls.Config{ServerName: host, RootCAs: o.Roots, MinVersion: tls.VersionTLS12}
	default:
		return nil, errors.New("syslog: network must be tcp, tls or udp")
	}
	return s, nil
}

// closeWait is how long the receiver has to close its side. One that keeps it open
// has not complained, and that is all that can be had from it.
const closeWait = 2 * time.Second

// Deliver sends m.
func (s *Sink) Deliver(ctx context.Context, m *notify.Message) error {
	ctx, cancel := context.WithTimeout(ctx, outgoing.Timeout)
	defer cancel()
	err := s.send(ctx, s.line(m))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, outgoing.ErrAddress):
		return notify.Invalidf("syslog: %w", err)
	case ctx.Err() != nil:
		return fmt.Errorf("syslog: sending to %s: %w", s.address, ctx.Err())
	}
	return fmt.Errorf("syslog: sending to %s: %w", s.address, err)
}

// Close has nothing to release.
func (s *Sink) Close() error { return nil }

func (s *Sink) send(ctx context.Context, line []byte) error {
	conn, err := s.dialer.DialContext(ctx, s.network, s.address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(past()) })()
	if s.network == "udp" {
		_, err := conn.Write(line)
		return err
	}
	if s.tls != nil {
		secure := tls.Client(conn, s.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return err
		}
		conn = secure
	}
	if _, err := conn.Write(fmt.Appendf(nil, "%d %s", len(line), line)); err != nil { // octet counting (RFC 6587, RFC 5425)
		return err
	}
	return finish(ctx, conn)
}

// finish ends our side and waits for the receiver to end his.
func finish(ctx context.Context, conn net.Conn) error {
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, closeWait)
	defer cancel()
	defer context.AfterFunc(wait, func() { _ = conn.SetReadDeadline(past()) })()
	_, err := io.Copy(io.Discard, io.LimitReader(conn, outgoing.ResponseLimit))
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() && ctx.Err() == nil {
		return nil
	}
	return err
}

// past is a deadline that ends whatever waits.
func past() time.Time { return time.Unix(1, 0) }

// priority is facility 13 (log audit) and severity 6 (informational).
const priority = 13*8 + 6

// line returns m as a syslog message. The structured data has what a filter needs; 32473
// is the number that RFC 5612 gives to whoever has none of his own.
func (s *Sink) line(m *notify.Message) []byte {
	b := fmt.Appendf(nil, "<%d>1 %s %s coffer - %s ", priority, m.Time.UTC().Format("2006-01-02T15:04:05.000Z"), s.hostname, header(m.Type, 32))
	b = fmt.Appendf(b, `[csms@32473 event_id="%s" project_id="%s" secret_name="%s"] `, value(m.ID), value(m.ProjectID), value(m.SecretName))
	return append(b, m.Document...)
}

// header returns text as a field of the header: printable ASCII of at most n bytes,
// or the dash that stands for nothing.
func header(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(n, len(text))]
}

// value escapes text for structured data.
func value(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(text)
}
