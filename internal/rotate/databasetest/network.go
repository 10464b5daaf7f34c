package databasetest

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/rotate/database"
	"coffer/internal/rotate/servertest"
)

// testUnreachable: a port that nobody listens on, and a name that nobody has.
func testUnreachable(t *testing.T, h *Harness) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().(*net.TCPAddr).Port
	l.Close()
	for _, mode := range []csms.TLSMode{csms.TLSDisable, csms.TLSVerifyFull} {
		e := h.engine(t, func(t *database.Target) { t.Port, t.TLS.Mode = closed, mode })
		change(t, e, h.Missing, newPassword, database.Unreachable)
		verify(t, e, h.Missing, newPassword, database.Unreachable)
	}
	e := h.engine(t, func(t *database.Target) { t.Host = "no-such-host.invalid" })
	verify(t, e, h.Missing, newPassword, database.Unreachable)
}

// testDialer: what the dialer refuses is not reached, by name or by address.
func testDialer(t *testing.T, h *Harness) {
	refuses := &net.Dialer{Control: func(_, _ string, _ syscall.RawConn) error { return errAddress }}
	for _, host := range []string{"localhost", "127.0.0.1"} {
		e := h.engine(t, func(t *database.Target) { t.Host, t.Dial = host, refuses.DialContext })
		for _, err := range []error{e.Change(t.Context(), h.Missing, []byte(newPassword)), e.Verify(t.Context(), h.Missing, []byte(newPassword))} {
			code(t, err, database.Unreachable)
			if !errors.Is(err, errAddress) {
				t.Errorf("%v; want one under %v", err, errAddress)
			}
		}
	}
}

var errAddress = errors.New("the address is refused")

// silent returns the port of a host that takes connections and says nothing.
func silent(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// testSilent: the time of a call is bounded by the target and by the context,
// whichever is shorter.
func testSilent(t *testing.T, h *Harness) {
	port := silent(t)
	for _, mode := range []csms.TLSMode{csms.TLSDisable, csms.TLSRequire} {
		e := h.engine(t, func(t *database.Target) { t.Port, t.TLS.Mode, t.Timeout = port, mode, 50*time.Millisecond })
		change(t, e, h.Missing, newPassword, database.Timeout)
		verify(t, e, h.Missing, newPassword, database.Timeout)
	}
	e := h.engine(t, func(t *database.Target) { t.Port, t.Timeout = port, time.Hour })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := e.Change(ctx, h.Missing, []byte(newPassword))
	code(t, err, database.Timeout)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v; want one under %v", err, context.DeadlineExceeded)
	}
}

func testContext(t *testing.T, h *Harness) {
	e := h.engine(t)
	account := h.Create(t, "context", oldPassword)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{
		e.Change(ctx, account, []byte(newPassword)), e.Verify(ctx, account, []byte(oldPassword)),
	} {
		code(t, err, database.Timeout)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v; want one under %v", err, context.Canceled)
		}
	}
	verify(t, e, account, oldPassword, "")
}

// testTLS: the certificate of the server is for localhost, not for 127.0.0.1.
func testTLS(t *testing.T, h *Harness) {
	account := h.Create(t, "tls", oldPassword)
	ours, others := h.Server.Authority.Roots, servertest.NewAuthority(t).Roots
	for name, c := range map[string]struct {
		host string
		tls  database.TLS
		want database.Code
	}{
		"require takes anybody":              {"127.0.0.1", database.TLS{Mode: csms.TLSRequire, Roots: others}, ""},
		"verify-ca takes any name":           {"127.0.0.1", database.TLS{Mode: csms.TLSVerifyCA, Roots: ours}, ""},
		"verify-ca wants the authority":      {"localhost", database.TLS{Mode: csms.TLSVerifyCA, Roots: others}, database.TLSFailed},
		"verify-full takes its own":          {"localhost", database.TLS{Mode: csms.TLSVerifyFull, Roots: ours}, ""},
		"verify-full wants the name":         {"127.0.0.1", database.TLS{Mode: csms.TLSVerifyFull, Roots: ours}, database.TLSFailed},
		"verify-full wants the authority":    {"localhost", database.TLS{Mode: csms.TLSVerifyFull, Roots: others}, database.TLSFailed},
		"the zero TLS is verify-full":        {"127.0.0.1", database.TLS{Roots: ours}, database.TLSFailed},
		"the system does not know test's CA": {"localhost", database.TLS{}, database.TLSFailed},
	} {
		t.Run(name, func(t *testing.T) {
			e := h.engine(t, func(t *database.Target) { t.Host, t.TLS = c.host, c.tls })
			change(t, e, account, newPassword, c.want)
			if c.want == "" {
				verify(t, e, account, newPassword, "")
			} else {
				verify(t, e, account, newPassword, c.want)
			}
		})
	}
	t.Run("a server without TLS is refused", func(t *testing.T) {
		h.Server.Crash()
		h.Server.Start(t, h.WithoutTLS)
		for _, mode := range []csms.TLSMode{csms.TLSRequire, csms.TLSVerifyCA, csms.TLSVerifyFull} {
			e := h.engine(t, func(t *database.Target) { t.Host, t.TLS = "localhost", database.TLS{Mode: mode, Roots: ours} })
			change(t, e, account, newPassword, database.TLSFailed)
			verify(t, e, account, newPassword, database.TLSFailed)
		}
	})
	h.Server.Crash()
	h.Server.Start(t)
}
