package database

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
)

// Transport returns the failure err of a connection to address that no answer of the
// server explains. The text of err is kept only where it comes from the network or
// from TLS, which know nothing of passwords.
func Transport(ctx context.Context, address string, err error) *Error {
	if gone := ctx.Err(); gone != nil {
		return Errorf(Timeout, "waiting for %s: %w", address, gone)
	}
	if n := net.Error(nil); errors.As(err, &n) && n.Timeout() {
		return Errorf(Timeout, "waiting for %s: no answer in time", address)
	}
	if cause := tlsCause(err); cause != nil {
		return Errorf(TLSFailed, "TLS with %s: %w", address, cause)
	}
	if o := (*net.OpError)(nil); errors.As(err, &o) && o.Op == "dial" {
		return Errorf(Unreachable, "reaching %s: %w", address, o.Err)
	}
	if d := (*net.DNSError)(nil); errors.As(err, &d) {
		return Errorf(Unreachable, "reaching %s: %w", address, d)
	}
	return Errorf(Unavailable, "the connection to %s broke", address)
}

// tlsCause returns the part of err that comes from TLS; nil for none.
func tlsCause(err error) error {
	if c := (*tls.CertificateVerificationError)(nil); errors.As(err, &c) {
		return c
	}
	if r := (tls.RecordHeaderError{}); errors.As(err, &r) {
		return errors.New("the server answers with something else")
	}
	if o := (*net.OpError)(nil); errors.As(err, &o) && (o.Op == "remote error" || o.Op == "local error") {
		return o.Err // an alert
	}
	return nil
}
