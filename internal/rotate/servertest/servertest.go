// Package servertest starts real database servers for tests: PostgreSQL and MariaDB of
// the Debian packages, and the MySQL that scripts/setup-tests.sh unpacks. Each listens
// on loopback, keeps its data in the folder of its test and ends with it.
//
// The rule that keeps it honest: there is nothing here that plays a server. A test that
// asks for one that is not installed fails, and says how to install it.
package servertest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/rotate/database"
)

// Administrator and its password, on every server.
const (
	Administrator = "coffer admin"
	Password      = `CANARY "administrator" \ 'password'`
)

// Server is a database server.
type Server struct {
	Port      int
	Authority *Authority // of its certificate, which is for localhost
	Log       string     // path of what it writes, statements included

	program  string
	args     []string
	unrooted bool
	ready    string         // what it writes once it takes connections
	quit     syscall.Signal // ends it as a crash would
	session  func(sql string) ([][]string, error)

	process *os.Process
	ended   chan struct{}
}

// startTime is how long a server may take to start.
const startTime = 2 * time.Minute

// Target returns a target with the administrator and without TLS.
func (s *Server) Target() database.Target {
	return database.Target{Host: "127.0.0.1", Port: s.Port, TLS: database.TLS{Mode: csms.TLSDisable}, Administrator: As(Administrator, Password)}
}

// As returns the function of a target's administrator for that credential.
func As(user, password string) func(context.Context) (database.Credential, error) {
	return func(context.Context) (database.Credential, error) {
		return database.Credential{User: user, Password: csms.Plaintext(password)}, nil
	}
}

// Exec runs statements with every right and returns the rows: with PostgreSQL those of
// the last statement, with the others those of the first.
func (s *Server) Exec(t *testing.T, sql string) [][]string {
	t.Helper()
	rows, err := s.session(sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return rows
}

// Start starts the server, with more arguments than usual, and returns when it takes
// connections. It ends with the test that has made it.
func (s *Server) Start(t *testing.T, more ...string) {
	t.Helper()
	c := s.command(s.program, slices.Concat(s.args, more)...)
	log, err := os.OpenFile(s.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s.process, s.ended = c.Process, make(chan struct{})
	ready := make(chan struct{})
	go func() {
		s.follow(out, log, ready)
		_ = c.Wait() // how it ends is the business of who ends it
		_ = log.Close()
		close(s.ended)
	}()
	select {
	case <-ready:
	case <-s.ended:
		t.Fatalf("%s has ended:\n%s", s.program, s.Written(t))
	case <-time.After(startTime):
		t.Fatalf("%s does not start:\n%s", s.program, s.Written(t))
	}
}

// follow copies what the server writes, and closes ready at the line that says so.
func (s *Server) follow(out io.Reader, log io.Writer, ready chan<- struct{}) {
	open := true
	for lines := bufio.NewScanner(out); lines.Scan(); {
		_, _ = fmt.Fprintln(log, lines.Text())
		if open && strings.Contains(lines.Text(), s.ready) {
			open = false
			close(ready)
		}
	}
	_, _ = io.Copy(log, out) // a line that is too long must not stop the server
}

// Crash ends the server as a crash would. Start starts it again on the same data.
func (s *Server) Crash() { s.end(s.quit) }

// own starts the server for the test that makes it.
func (s *Server) own(t *testing.T) *Server {
	t.Helper()
	t.Cleanup(func() { s.end(syscall.SIGTERM) })
	s.Start(t)
	return s
}

func (s *Server) end(signal syscall.Signal) {
	if s.process == nil {
		return
	}
	_ = s.process.Signal(signal) // it may have ended
	<-s.ended
	s.process = nil
}

// Written returns what the server has written.
func (s *Server) Written(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(s.Log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// command returns a command for a server, by another user if it refuses root.
func (s *Server) command(program string, args ...string) *exec.Cmd {
	c := exec.Command(program, args...)
	c.Dir = filepath.Dir(s.Log)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	if s.unrooted && os.Geteuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return c
}

// nobody is the user without rights of Debian.
const nobody = 65534

// run runs a command to its end.
func (s *Server) run(t *testing.T, program string, args ...string) {
	t.Helper()
	if out, err := s.command(program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// folder returns a folder that the server may write to.
func (s *Server) folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if s.unrooted && os.Geteuid() == 0 {
		// The folder above it is closed to others.
		if err := errors.Join(os.Chown(dir, nobody, nobody), os.Chmod(filepath.Dir(dir), 0o711)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// write writes a file for the server alone.
func (s *Server) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.unrooted && os.Geteuid() == 0 {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
}

// freePort returns a port of loopback that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// find returns the first file that a pattern names.
func find(t *testing.T, patterns ...string) string {
	t.Helper()
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	t.Fatalf("none of %s is there; run scripts/setup-tests.sh", strings.Join(patterns, ", "))
	return ""
}
