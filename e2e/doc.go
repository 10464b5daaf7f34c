// Package e2e runs unmodified clients against the built program: the official Go
// SDK, and the sample of the reference page.
//
// The rule that keeps it honest: it sees what a user sees. It imports nothing of
// the server, starts the binary, and points clients at it only by what the
// documentation of those clients offers.
package e2e
