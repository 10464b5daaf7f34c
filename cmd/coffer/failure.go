package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"

	"github.com/spf13/cobra"

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
		return hints[e.Code]
	}
	if errors.As(err, new(usageError)) {
		return `"coffer help" lists the commands; every command knows --help`
	}
	if errors.As(err, new(*url.Error)) {
		return "is the server running at COFFER_ENDPOINT? For TLS, is COFFER_CACERT set?"
	}
	return ""
}

// exitCode maps err to the exit code that scripts can rely on.
func exitCode(err error) int {
	e := (*client.Error)(nil)
	switch {
	case err == nil:
		return 0
	case errors.As(err, new(usageError)):
		return 2
	case errors.As(err, &e):
		return exitCodeOf(e.Status)
	case errors.As(err, new(net.Error)), errors.Is(err, context.DeadlineExceeded):
		return 6
	default:
		return 1
	}
}

func exitCodeOf(status int) int {
	switch {
	case status == 404:
		return 3
	case status == 401, status == 403:
		return 4
	case status >= 500, status == 429:
		return 6
	default:
		return 5
	}
}

// noArgs, exactly and atLeast check the number of arguments as a matter of usage.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())}
	}
	return nil
}

func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; usage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}

func atLeast(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.MinimumNArgs(n)(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; usage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}
