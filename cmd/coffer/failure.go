package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/spf13/cobra"

	"coffer/internal/app"
	"coffer/internal/client"
)

// usageError marks a command line that cannot be carried out.
type usageError struct{ error }

// hintedError is an error with advice.
type hintedError struct {
	error
	hint string
}

func (e hintedError) Unwrap() error { return e.error }

func hinted(err error, hint string) error { return hintedError{err, hint} }

// report prints err and what may help.
func report(w io.Writer, err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(w, "coffer:", err)
	if hint := hint(err); hint != "" {
		fmt.Fprintln(w, "hint:", hint)
	}
}

// hints tell what to do about the codes of the API that people meet most.
var hints = map[string]string{
	"CSMS.0005":  `"coffer secret history NAME" lists the versions and their labels`,
	"CSMS.0109":  "the secret is disabled or frozen, which is done and undone by an administrator",
	"APIGW.0101": "does COFFER_ENDPOINT name a Coffer server, and is it as new as this program?",
	"CSMS.0103":  `the secret is scheduled for deletion; "coffer secret restore NAME" brings it back`,
	"CSMS.0107":  `it is scheduled already; "coffer secret show NAME" tells when it goes`,
	"CSMS.0108":  `only a secret in state PENDING_DELETE can be restored; "coffer secret show NAME" tells the state`,
	"CSMS.0106":  `"coffer secret list" shows the names in this project`,
	"CSMS.0302":  "the policy of these credentials lacks the action named above",
	"CSMS.0401":  "check the KMS key of the secret, and your right to use it",
	"APIGW.0301": "check COFFER_ACCESS_KEY and COFFER_SECRET_KEY or COFFER_TOKEN, and the clock of this machine",
}

func hint(err error) string {
	if h := (hintedError{}); errors.As(err, &h) {
		return h.hint
	}
	if e := (*client.Error)(nil); errors.As(err, &e) {
		return hintFor(e)
	}
	if errors.As(err, new(usageError)) {
		return `"coffer help" lists the commands; every command knows --help`
	}
	if errors.Is(err, client.ErrUnreachable) {
		return unreachable(err)
	}
	return app.Hint(err)
}

func hintFor(e *client.Error) string {
	if hint := hints[e.Code]; hint != "" || e.Status != http.StatusUnauthorized {
		return hint
	}
	return "check the names of user and domain, and the password" // Keystone's 401 has no code of its own
}

// unreachable tells what may be wrong between here and the server.
func unreachable(err error) string {
	timeout := net.Error(nil)
	switch {
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return "name the CA of the server with COFFER_CACERT or --cacert; the server prints its path when it starts"
	case errors.As(err, new(x509.HostnameError)):
		return "the certificate is for another name; add this one under tls.names of the server"
	case errors.Is(err, context.Canceled):
		return ""
	case errors.As(err, &timeout) && timeout.Timeout():
		return "the server may still carry it out; --timeout says how long to wait"
	default:
		return "is the server running at COFFER_ENDPOINT, and is its scheme (http or https) right?"
	}
}

// exitCode maps err to the exit code that scripts can rely on.
func exitCode(err error) int {
	e := (*client.Error)(nil)
	switch {
	case err == nil:
		return 0
	case errors.As(err, new(usageError)), errors.As(err, new(*app.ConfigError)):
		return 2
	case errors.As(err, &e):
		return exitCodeOf(e.Status)
	case errors.Is(err, context.Canceled):
		return 1
	case errors.Is(err, client.ErrUnreachable):
		return 6
	default:
		return 1
	}
}

func exitCodeOf(status int) int {
	switch {
	case status == http.StatusNotFound:
		return 3
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return 4
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests:
		return 6
	default:
		return 5
	}
}

// noArgs, exactly, atLeast and atMost check the number of arguments as a matter of usage.
func noArgs(cmd *cobra.Command, args []string) error { return exactly(0)(cmd, args) }

func exactly(n int) cobra.PositionalArgs { return asUsage(cobra.ExactArgs(n)) }

func atLeast(n int) cobra.PositionalArgs { return asUsage(cobra.MinimumNArgs(n)) }

func atMost(n int) cobra.PositionalArgs { return asUsage(cobra.MaximumNArgs(n)) }

func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; usage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}
